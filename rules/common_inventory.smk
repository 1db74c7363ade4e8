"""What the rules of training from scenes share: the scenes' files, and how windows are cut."""

from landslip.inventory.scene_files import files_of_inventory, scene_changes
from landslip.scene.layers import CHANNELS
from landslip.scene.settings import read_scene


@cache
def files_of_scene(number):
    """A scene file and those that it names; what is missing is said when it is looked at."""
    return named_files(Path(CONFIG.data.all_scenes[number]))


@cache
def digest_of_scene(number):
    """Digest of the contents of all its files: a touched one changes nothing."""
    return files_digest(files_of_scene(number))


def scene_files(number):
    """Those files as inputs."""
    return [ancient(path) for path in files_of_scene(number)]


def all_scene_files():
    """Files of all scenes."""
    return [
        path
        for number in range(len(CONFIG.data.all_scenes))
        for path in scene_files(number)
    ]


def of_scenes(suffix):
    """What was found in each scene, the training's first."""
    folder = f"{CONFIG.results}/data/scenes"
    return [
        f"{folder}/{number}.{suffix}" for number in range(len(CONFIG.data.all_scenes))
    ]


@cache
def is_simulated():
    """Whether a program made the patches, or a scene that they come from."""
    scenes = CONFIG.data.all_scenes
    return CONFIG.data.simulated or any(
        read_scene(path).simulated for path in scenes if Path(path).is_file()
    )


def scene_conventions():
    """How scenes are read: as the bundle will say of its channels."""
    said = CONFIG.data.conventions
    offset, composite = said.reflectance_offset, said.radar_composite
    return {
        "channels": list(CONFIG.channels),
        "reflectance_offset": 1000.0 if offset is None else offset,
        "terrain_flattened": bool(said.terrain_flattened),
        "radar_composite": composite or "median",
    }


def beside_inventories():
    """Files that belong to those of landslides."""
    named = [Path(path) for path in CONFIG.data.inventory]
    return [str(file) for path in named for file in files_of_inventory(path)[1:]]


def window_cut():
    """How scenes are cut into windows."""
    windows = CONFIG.data.windows
    return {
        "size": windows.size,
        "stride": windows.step,
        "least_data": windows.least_data,
    }


def window_rules():
    """How windows are labelled, drawn and grouped."""
    label, negatives = CONFIG.label, CONFIG.negatives
    return {
        "label": {
            "min_area": label.area,
            "min_share": label.min_share,
            "middle": label.middle,
            "ambiguous": label.ambiguous,
        },
        "layer": label.layer,
        "date_column": label.date_column,
        "unknown_date": label.unknown_date,
        "negatives": {
            "share": negatives.share,
            "per_positive": negatives.each,
            "min_distance": negatives.min_distance,
            "hard": negatives.hard,
        },
        "seed": CONFIG.seed,
        "scheme": CONFIG.folds.scheme,
        "block_size": CONFIG.folds.block_size,
    }


def judged_windows():
    """What windows that a reviewer judged must hold; nothing where nobody judged any."""
    if not CONFIG.data.verdicts:
        return None
    return {
        "channels": list(CONFIG.channels),
        "least_data": CONFIG.data.windows.least_data,
    }


def refuse_scenes():
    """Look at what is named before any job runs."""
    named = {
        "scene files": CONFIG.data.all_scenes,
        "inventories": CONFIG.data.inventory,
        "verdicts": CONFIG.data.verdicts,
    }
    for what, paths in named.items():
        if missing := [path for path in paths if not Path(path).is_file()]:
            raise InputError(
                f"{len(missing)} of {len(paths)} {what} are not there: {', '.join(missing)}; "
                "correct data.scenes, data.test.scenes, data.inventory and data.verdicts"
            )
    if unknown := [name for name in CONFIG.channels if name not in CHANNELS]:
        raise InputError(
            f"scenes give no channel {', '.join(unknown)}, but {', '.join(CHANNELS)}; take it out "
            "of `channels` (NAME: null), with the indices made of it"
        )
    for number in range(len(CONFIG.data.all_scenes)):
        files_of_scene(number)


# Jobs read these rules in processes of their own; one look is enough.
if CONFIG.data.scenes and workflow.is_main_process and not ASKING:
    or_refuse(refuse_scenes)
    # Snakemake says that a parameter changed, and a file may be damaged that nobody changed.
    for line in scene_changes(map(Path, of_scenes("json"))):
        print(f"landslip: {line}", file=sys.stderr)
