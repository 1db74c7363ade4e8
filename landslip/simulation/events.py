"""What happens between the two dates: slides, and the harvests, floods and diggings like them."""

import numpy as np

from landslip.simulation.cover import overlay, parcels
from landslip.simulation.fields import Field, soft_step
from landslip.simulation.materials import Material
from landslip.simulation.scenes import Scenes
from landslip.simulation.slides import Tracks, find_crowns, release_tracks
from landslip.simulation.terrain import Terrain


def farm_fields(
    rng: np.random.Generator, before: Field, after: Field, scenes: Scenes, steep: Field
) -> None:
    """Fields on gentle ground, in place; some are ploughed, sown or harvested in between."""
    for p in np.flatnonzero(scenes.farmland).tolist():
        number, edge = parcels(rng, steep.shape[1])
        chances = rng.dirichlet([1.5, 1.2, 1.5])
        choices = np.array([Material.CROP, Material.GRASS, Material.BARE_FIELD])
        kind = rng.choice(choices, 64, p=chances)
        worked = rng.random(64) < rng.uniform(0.0, 0.5)
        earlier = np.where(worked, rng.choice(choices, 64), kind)
        gentle = soft_step(0.28 - steep[p], 0.15) * np.clip(edge + 0.2, 0, 1)
        for shares, kinds in ((before, earlier), (after, kind)):
            for material in choices:
                overlay(shares, p, gentle * (kinds[number] == material), Material(material))


def blot(rng: np.random.Generator, size: int, radius: float, smooth: Field) -> Field:
    """A rounded area with a frayed outline somewhere in a patch: (row, column), 0 to 1."""
    row, column = rng.uniform(0.2, 0.8, 2) * size
    rows, columns = np.indices((size, size), dtype=np.float32)
    squeeze = np.exp(rng.normal(0, 0.3))
    away = np.hypot((rows - row) * squeeze, (columns - column) / squeeze)
    return soft_step((radius * (1 + 0.25 * smooth) - away).astype(np.float32), 1.0)


def diggings(
    rng: np.random.Generator, before: Field, after: Field, scenes: Scenes, smooth: Field
) -> None:
    """Quarries that grew and forest that was cleared, in place."""
    size = smooth.shape[1]
    for p in np.flatnonzero(scenes.quarry).tolist():
        radius = rng.uniform(3, 10)
        pit = blot(rng, size, radius, smooth[p])
        kept = pit * np.float32(rng.uniform(0.2, 1.0))
        overlay(before, p, kept, Material.GRAVEL)
        overlay(after, p, pit, Material.GRAVEL)
    for p in np.flatnonzero(scenes.clearing).tolist():
        number, edge = parcels(rng, size)
        cut = (number % 8 == rng.integers(8)) * np.clip(edge + 0.2, 0, 1)
        cut = (cut * blot(rng, size, 0.3 * size, smooth[p])).astype(np.float32)
        green = after[p, Material.FOREST] + after[p, Material.GRASS]
        bare = cut * green * np.float32(rng.uniform(0.5, 1.0))
        overlay(after, p, bare, Material.SOIL)
        overlay(before, p, bare * np.float32(rng.random() < 0.5), Material.SOIL)


def open_sea(before: Field, after: Field, scenes: Scenes, terrain: Terrain) -> None:
    """Water over the lowest ground of coasts, over all of open water, in place."""
    for p in np.flatnonzero(scenes.sea).tolist():
        relief = terrain.relief[p]
        deep = soft_step(relief.min() - relief + np.float32(0.05), 0.1)
        for shares in (before, after):
            overlay(shares, p, deep, Material.WATER)


def floods(rng: np.random.Generator, before: Field, after: Field, scenes: Scenes) -> None:
    """River beds: what is water at one date is gravel at the other, in place."""
    for p in np.flatnonzero(scenes.valley).tolist():
        high = np.float32(rng.uniform(0, 0.8))
        moved = high * before[p, Material.GRAVEL]
        shares = after if rng.random() < 0.5 else before
        shares[p, Material.GRAVEL] -= moved
        shares[p, Material.WATER] += moved


def old_tracks(
    rng: np.random.Generator,
    shares: Field,
    scenes: Scenes,
    terrain: Terrain,
    steep: Field,
    smooth: Field,
    inset: int,
) -> None:
    """Scree chutes, avalanche tracks and gullies: the shape of slides, there at both dates.

    Parameters
    ----------
    rng
        The generator that is advanced.
    shares : (n, material, row, column)
        Of the ground before anything happens, changed in place.
    scenes, terrain
        Of the n patches.
    steep, smooth : (n, row, column)
        Steepness of the ground; noise of standard deviation 1 that frays outlines.
    inset
        Cells at the edge in which no track starts.
    """
    counts = np.where(scenes.slope > 0.15, scenes.chutes, 0)
    crowns = find_crowns(rng, terrain.height, steep, counts, inset)
    length = np.clip(rng.lognormal(np.log(15), 0.5, len(crowns)), 5, 45)
    half = np.clip(length * rng.uniform(0.05, 0.16, len(crowns)), 0.8, 4.5)
    tracks = release_tracks(terrain.height, smooth, crowns, length, half)
    for p in np.unique(crowns[:, 0]).tolist():
        bare = tracks.mask[p] * np.float32(rng.uniform(0.35, 0.95))
        material = rng.choice([Material.ROCK, Material.GRAVEL, Material.SOIL, Material.GRASS])
        overlay(shares, p, bare, Material(material))


def landslides(
    rng: np.random.Generator,
    before: Field,
    after: Field,
    scenes: Scenes,
    terrain: Terrain,
    steep: Field,
    smooth: Field,
    inset: int,
) -> Tracks:
    """Let the landslides of the positive patches go, in place, and return where they went.

    Old slides are partly overgrown and partly there at the first date already. `depth` of the
    returned tracks is what changed between the two dates.
    """
    crowns = find_crowns(rng, terrain.height, steep, scenes.slides, inset)
    length = np.clip(rng.lognormal(np.log(28), 0.5, len(crowns)), 6, 60)
    half = np.clip(length * rng.uniform(0.08, 0.22, len(crowns)), 1.2, 9.0)
    tracks = release_tracks(terrain.height, smooth, crowns, length, half)
    for p in np.unique(crowns[:, 0]).tolist():
        old = rng.random() < 0.18
        fresh = np.float32(rng.uniform(0.20, 0.65) if old else rng.uniform(0.70, 1.0))
        earlier = np.float32(rng.uniform(0.4, 1.0) if old else 0.0)
        torn = np.clip(0.8 + 0.25 * smooth[p], 0.2, 1)
        scar, runout = tracks.scar[p] * fresh, tracks.runout[p] * fresh * torn
        stony = soft_step(np.float32(0.4) * smooth[p] - 0.2, 0.6)
        for shares, extent in ((before, earlier), (after, np.float32(1))):
            overlay(shares, p, extent * (scar * (1 - stony) + runout), Material.DEBRIS)
            overlay(shares, p, extent * scar * stony, Material.ROCK)
        # the deposit is hummocky, the scar stepped
        tracks.depth[p] *= (1 - earlier) * (1 + np.float32(0.5) * smooth[p])
    return tracks
