"""bundle.json read: of this format, and without what its types cannot tell to be impossible."""

from collections.abc import Iterator
from pathlib import Path

from landslip.bundle.record import FORMAT_VERSION, SURFACES, BundleRecord
from landslip.ensemble.sensors import member_of
from landslip.io.files import InputError, read_json
from landslip.io.records import read_record


def read_index(path: Path) -> BundleRecord:
    """Read bundle.json.

    Raises
    ------
    InputError
        It is of another format version, damaged, or says what cannot be.
    """
    content = read_json(path)
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {version!s:.20}, this program reads {FORMAT_VERSION}; "
            "make the bundle anew with `snakemake bundle`, or use the release that wrote it "
            f"({content.get('landslip') if isinstance(content, dict) else None!s:.20})"
        )
    record: BundleRecord = read_record(path, BundleRecord)
    mistake = next(_mistakes(record), None)
    if mistake:
        raise InputError(f"{path} is no description of a bundle: {mistake}")
    return record


def _mistakes(record: BundleRecord) -> Iterator[str]:
    """What types do not tell."""
    channels = [channel["name"] for channel in record["channels"]]
    if not channels or len(set(channels)) < len(channels):
        yield "channels must be named, each once"
    for name, pair in record["indices"].items():
        if not set(pair) <= set(channels) or name in channels:
            yield f"index {name} is of no two channels"
    if not (record["rows"] and record["columns"]):
        yield "patches have no pixels"
    if record["water"] and not {record["water"]["green"], record["water"]["nir"]} <= set(channels):
        yield "water is told by channels that are not there"
    reference = record["distributions"]
    if any(
        set(each) != set(SURFACES)
        for each in (reference["patches"], reference["quantiles"], reference["lows"])
    ):
        yield f"distributions are of {' and '.join(SURFACES)}"
    names = {member["name"] for member in record["members"]}
    for member in record["members"]:
        if member["folder"] != f"members/{member['name']}" or not member["name"].isidentifier():
            yield f"member {member['name']!r:.40} lies elsewhere"
        if not member["folds"]:
            yield f"member {member['name']} has no folds"
    stages = record["cascade"]["stages"] if record["cascade"] else []
    for stage in stages:
        if stage["low"] > stage["high"]:
            yield f"a stage of the cascade ends below {stage['low']} and above {stage['high']}"
    fewer = [record["fast"], *(stage["combination"] for stage in stages)]
    for each in [*record["combinations"], *(one for one in fewer if one is not None)]:
        rule, count = each["rule"], len(each["columns"])
        if not {member_of(column) for column in each["columns"]} <= names or not count:
            yield f"a combination asks members that are not there: {', '.join(each['columns'])}"
        if rule["members"] != each["columns"]:
            yield "a rule is of other members than its combination"
        if len(rule["weights"]) != count or len(rule["calibrators"]) != count:
            yield "a rule has other numbers of weights or calibrators than members"
    if not record["combinations"]:
        yield "no member answers for anything"
