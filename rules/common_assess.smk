"""What the rules of a map's accuracy share: the map's files, and what is asked for."""

# Nothing is there, and nothing asked, where no map is assessed.
MAP = Path(CONFIG.map or ".")
MAP_INPUTS = [str(MAP / name) for name in ("probability.tif", "zones.gpkg")]
# It holds digests of the two.
MAP_ITEM = [str(path) for path in [MAP / "item.json"] if path.is_file()]
# It names the scene's files; a map that was handed on comes without.
MAP_PLAN = str(MAP.parent / "scene" / "event" / "plan.json")

# It holds sums of the scene's images; maps of older versions lack it.
MAP_SEEN = [
    str(path)
    for path in [Path(MAP_PLAN).with_name("images.seen.sha256")]
    if path.is_file()
]


def assess_targets():
    """The sample to fill, or what a person's labels and verdicts say of the map."""
    results, targets = CONFIG.results, []
    if CONFIG.labels is not None:
        targets += [f"{results}/accuracy.json", f"{results}/accuracy.html"]
    if CONFIG.verdicts is not None:
        targets += [f"{results}/precision.json", f"{results}/precision.html"]
    if targets:
        return targets
    pictures = CONFIG.assess.pictures and Path(MAP_PLAN).is_file()
    return [f"{results}/sample.gpkg", *([f"{results}/sample.html"] if pictures else [])]


def filled_digests(path):
    """Of a file that a person filled, and of the changes that QGIS keeps beside it while open."""
    return [content_digest(file) for file in files_of_inventory(Path(path))]


def assessed_settings():
    """All that decides which cells are drawn, and what is said of them, as results say it."""
    return {
        "map": [content_digest(Path(path)) for path in MAP_INPUTS],
        "assess": CONFIG.assess.model_dump(
            mode="json", exclude={"pictures", "threshold"}
        ),
        "seed": CONFIG.seed,
        "filled": {
            name: filled_digests(path)
            for name, path in (("labels", CONFIG.labels), ("verdicts", CONFIG.verdicts))
            if path is not None
        },
    }


def refuse_map():
    """Look at what is assessed before any job runs."""
    for path in MAP_INPUTS:
        if not Path(path).is_file():
            raise InputError(
                f"map: {path} is not there; name the folder of a finished map (`snakemake map` "
                "makes one)"
            )
    for key, path in (("labels", CONFIG.labels), ("verdicts", CONFIG.verdicts)):
        if path is not None and not Path(path).is_file():
            raise InputError(
                f"{key}: {path} is not there; name the file that a person filled"
            )


if ASSESSING and workflow.is_main_process:
    or_refuse(refuse_map)
