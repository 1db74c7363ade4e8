"""What rules read of the data: the tables and patches, simulated, named or of scenes, and shards."""

from landslip.data.listing import check_sources, listing_digest
from landslip.data.ranges import count_lines, shards_for


def data_path(split, key):
    """Path of one input: as the config has it, else simulated; or None."""
    if not CONFIG.data.simulated:
        return None if CONFIG.data.scenes else CONFIG.data.path_of(split, key)
    simulated = {
        ("train", "labels"): "Train.csv",
        ("train", "patches"): "train_data",
        ("test", "ids"): "Test.csv",
        ("test", "patches"): "test_data",
        ("test", "labels"): "TestLabels.csv",
    }
    return f"{SIMULATED}/{simulated[split, key]}"


# The user's tables, which their contents decide and not their times of change.
TABLES = {
    name: data_path(*key)
    for name, key in {
        "labels": ("train", "labels"),
        "ids": ("test", "ids"),
        "test_labels": ("test", "labels"),
    }.items()
}


def table_input(name):
    """One of the tables, as an input; nothing where there is none."""
    path = TABLES[name]
    return [] if path is None else path if CONFIG.data.simulated else ancient(path)


def table_digests(wildcards):
    """Digest of each of the user's tables, or of the inventories of scenes."""
    if CONFIG.data.simulated:
        return "simulated"
    if CONFIG.data.scenes:
        return [
            content_digest(file)
            for path in [*CONFIG.data.inventory, *CONFIG.data.verdicts]
            for file in files_of_inventory(Path(path))
        ]
    return {name: content_digest(Path(path)) for name, path in TABLES.items() if path}


@cache
def patch_listing(split):
    """Digest of the names and sizes of a patch folder; simulated ones follow from the config."""
    if CONFIG.data.simulated:
        return "simulated"
    if CONFIG.data.scenes:
        # Of all scenes, which are no split's alone as far as labels go.
        return [
            digest_of_scene(number) for number in range(len(CONFIG.data.all_scenes))
        ]
    return listing_digest(Path(data_path(split, "patches")))


def patch_folders(*splits):
    """Folders that patches are read from, each as one input.

    Snakemake looks at the folder and at no file in it: `patch_listing` says what is there, and of
    simulated ones `patch_sums`. Their times of change mean nothing, as a copy of results has others.
    """
    folders = [data_path(split, "patches") for split in splits]
    if CONFIG.data.simulated:
        return [ancient(path) for path in folders]
    folders += [CONFIG.data.links_into] if CONFIG.data.links_into else []
    # One that is not there is refused by `listing_digest`, which says what to do.
    return [ancient(path) for path in dict.fromkeys(folders) if Path(path).is_dir()]


def patch_sums():
    """The sums file that changes when a simulated patch does."""
    return [f"{SIMULATED}/tables.sha256"] if CONFIG.data.simulated else []


# The stage whose scripts read pixels: of files of their own, or of windows of scenes.
READING = "inventory" if CONFIG.data.scenes else "data"


def pixels_from(*splits):
    """Inputs that patches of splits are read from, with their sums; scenes are no split's alone."""
    if CONFIG.data.scenes:
        return {
            "records": of_scenes("json"),
            "record_sums": of_scenes("sha256"),
            "scenes": all_scene_files(),
        }
    return {"patches": patch_folders(*splits), "patch_sums": patch_sums()}


@cache
def shards_of(split):
    """How many jobs share the patches of a split; more than needed where its CSV has empty lines.

    Counted when it is asked for: most jobs' own processes never do. How many windows of scenes are
    patches is known once they are labelled; there are as many shards as scenes.
    """
    if CONFIG.data.scenes:
        return len(CONFIG.data.scenes if split == "train" else CONFIG.data.test.scenes)
    simulation = CONFIG.data.simulation
    table = data_path(split, "labels" if split == "train" else "ids")
    patches = (
        getattr(simulation, split)
        if CONFIG.data.simulated
        else count_lines(Path(table))
    )
    return shards_for(patches, CONFIG.data.patches_per_shard)


# Jobs read these rules in processes of their own; one look is enough.
if workflow.is_main_process and not ASKING:
    or_refuse(
        check_sources,
        *CONFIG.data.all_scenes,
        *CONFIG.data.inventory,
        *CONFIG.data.verdicts,
        *TABLES.values(),
        *(encoder.weights for encoder in CONFIG.encoders.values()),
    )
    for split in SPLITS:
        or_refuse(shards_of, split)


def store_shards(split, suffix="h5"):
    """Files of the shards of a store."""
    folder = f"{CONFIG.results}/store/{split}_shards"
    return [f"{folder}/shard{shard}.{suffix}" for shard in range(shards_of(split))]


def pixels_of(*splits):
    """Files of pixels that an index of the store is a view of: it says itself whether they changed."""
    return [
        ancient(path) for split in splits for path in store_shards(split, "pixels.h5")
    ]


def surveys(suffix):
    """Files of the surveys of all patches."""
    return [
        f"{CONFIG.results}/data/surveys/{split}{shard}.{suffix}"
        for split in SPLITS
        for shard in range(shards_of(split))
    ]
