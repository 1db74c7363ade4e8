"""What the rules of bundles share: what one is made of, and what it is asked."""

from landslip.bundle.listing import folder_digests, shards_of_folder

# In a bundle's members, of which more is asked out of fold.
BUNDLED = CONFIG.bundle.members or CONFIG.members
ROUNDED = [
    name
    for name in NETWORK_MEMBERS
    if name in BUNDLED and CONFIG.bundle.weights != "float32"
]
ASKED_AGAIN = [name for name in BUNDLED if name in FLEXIBLE or name in ROUNDED]
BUNDLED_FOLDS = CONFIG.bundle.folds or CONFIG.folds.n


def bundled(file):
    """One file of every fold of every member of the bundle, member by member."""
    return [path for name in BUNDLED for path in folds_of(name, file)[:BUNDLED_FOLDS]]


def bundled_weights():
    """Their weights."""
    return [path for name in BUNDLED for path in weights_of(name)[:BUNDLED_FOLDS]]


def bundle_settings():
    """What the config says of patches and ensemble, as builtins."""
    return {
        "channels": CONFIG.channel_records(),
        "indices": INDICES,
        "keep_zeros": CONFIG.data.on_zeros == "keep",
        "conventions": CONFIG.data.conventions.model_dump(mode="json"),
        "members": CONFIG.members,
        "chosen": BUNDLED,
        "folds": BUNDLED_FOLDS,
        "of_folds": CONFIG.folds.n,
        "weights": CONFIG.bundle.weights,
        "most_loss": CONFIG.bundle.most_loss,
        **combining(),
        "simulated": is_simulated(),
    }


def bundle_file():
    """The file that tells the bundle that is asked from every other: its sums, or the .zip."""
    path = Path(CONFIG.bundle.path)
    return str(path / "files.sha256") if path.is_dir() else str(path)


@cache
def answer_shards():
    """How many jobs share the new patches."""
    return shards_of_folder(Path(CONFIG.patches), CONFIG.data.patches_per_shard)


def of_shards(folder, suffix):
    """Files of all shards of new patches."""
    return [
        f"{CONFIG.results}/asked/{folder}/{shard}.{suffix}"
        for shard in range(answer_shards())
    ]


def bundle_digest():
    """Digest of the bundle's sums, or of its .zip."""
    return content_digest(Path(bundle_file()))


def new_patch_listing():
    """Digest of the names and sizes of the new patches, and of the table beside them."""
    return folder_digests(Path(CONFIG.patches))


def asked_settings():
    """All that decides a bundle's answers, as results say it themselves."""
    return {
        "bundle": bundle_digest(),
        "patches": new_patch_listing(),
        "predict": CONFIG.predict.model_dump(mode="json"),
    }


def refuse_bundle():
    """Look at the bundle before any job runs."""
    path = Path(CONFIG.bundle.path)
    if not path.exists():
        raise InputError(
            f"there is no bundle at {path}; make one with `snakemake bundle`"
        )
    check_sources(bundle_file())


if PREDICTING and workflow.is_main_process:
    or_refuse(refuse_bundle)
    or_refuse(answer_shards)
