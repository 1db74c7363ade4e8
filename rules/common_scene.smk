"""What the rules of scenes share: the files of the one that is mapped, and its tiles."""

from landslip.io.files import read_json
from landslip.scene.named import MAP_FILES, files_digest, named_files

SIMULATED_SCENE = f"{CONFIG.results}/simulated_scene"
IS_SIMULATED_SCENE = CONFIG.scene.path == f"{SIMULATED_SCENE}/scene.yaml"


@cache
def scene_rasters():
    """Files that the scene file names; what is missing is said when the scene is looked at."""
    if CONFIG.scene.path is None or IS_SIMULATED_SCENE:
        return []
    return named_files(Path(CONFIG.scene.path))[1:]


def scene_inputs(wildcards):
    """The scene file, and what stands in it or with it."""
    if IS_SIMULATED_SCENE:
        return [CONFIG.scene.path, f"{SIMULATED_SCENE}/scene.sha256"]
    return [ancient(CONFIG.scene.path), *(ancient(path) for path in scene_rasters())]


@cache
def scene_digest():
    """Digest of the names and contents of the scene's files; simulated ones follow from the config."""
    if IS_SIMULATED_SCENE:
        return "simulated"
    return files_digest([CONFIG.scene.path, *scene_rasters()])


def map_settings():
    """How the scene is cut into cells and tiles."""
    scene = CONFIG.scene
    return {"stride": scene.stride, "rule": scene.cell, "tile": scene.tile}


def map_question():
    """What the bundle is asked of each cell; a threshold of the config's is applied to the answers."""
    return CONFIG.predict.model_dump(mode="json", exclude={"on_drift", "threshold"})


def tile_files(run, suffix):
    """Files of all tiles of a map, once its plan is there."""
    plan = read_json(checkpoints.plan_map.get(run=run).output.plan)
    folder = f"{CONFIG.results}/scene/{run}/tiles"
    return [f"{folder}/{tile}.{suffix}" for tile in range(plan["tile_count"])]


def has_placebo():
    """Whether the scene names radar of a time without an event."""
    plan = checkpoints.plan_map.get(run="event").output.plan
    return read_json(plan)["placebo"]


def placebo_plan(suffix):
    """The placebo's plan, if there is one."""
    if not has_placebo():
        return []
    return [f"{CONFIG.results}/scene/placebo/plan.{suffix}"]


def placebo_files(suffix):
    """Files of the placebo's tiles."""
    return tile_files("placebo", suffix) if has_placebo() else []


def mapped_settings():
    """All that decides a map, as results say it themselves."""
    simulation = CONFIG.scene.simulation.model_dump(mode="json")
    return {
        "bundle": bundle_digest(),
        "scene": simulation if IS_SIMULATED_SCENE else scene_digest(),
        "map": map_settings(),
        "predict": {**map_question(), "threshold": CONFIG.predict.threshold},
    }


def refuse_scene():
    """Look at what is to be mapped before any job runs."""
    if not IS_SIMULATED_SCENE and not Path(CONFIG.scene.path).exists():
        raise InputError(
            f"there is no scene file at {CONFIG.scene.path}; write one, have one written with "
            "`snakemake describe --config folder=FOLDER`, or simulate one with "
            f"`snakemake simulate_scene map` and scene={SIMULATED_SCENE}/scene.yaml"
        )
    scene_digest()


if MAPPING and workflow.is_main_process:
    or_refuse(refuse_bundle)
    or_refuse(refuse_scene)
