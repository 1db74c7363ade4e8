"""Every id is given its file; where it has none, the likely cause is named once for all."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landslip.data.problems import printable
from small_competition import Competition


def rename(competition: Competition, new: Callable[[str], str]) -> None:
    for patch_id in competition.train:
        path = competition.path(patch_id)
        target = path.parent / new(patch_id)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def relabel(competition: Competition, new: Callable[[str], str]) -> None:
    rows = [f"{new(name)},{int(i % 3 == 0)}\n" for i, name in enumerate(competition.train)]
    competition.csv("Train.csv", "ID,label\n" + "".join(rows))


@pytest.mark.parametrize(
    ("new_id", "new_file", "words"),
    [
        (lambda i: f"{i}.npy", None, "the ids end in .npy"),
        (lambda i: f"{i}.NPY", None, "the ids end in .NPY"),
        (lambda i: f"train_data/{i}", None, "begin with a folder's name"),
        (lambda i: f"train_data/{i}.npy", None, "end in .npy; take it and a folder's name"),
        (lambda i: f"sub/{i}", lambda i: f"sub/{i}.npy", "lies in a folder of its own"),
        (None, lambda i: f"sub/{i}.npy", "train_data/sub; name that folder"),
        (None, lambda i: f"{i}.NPY", "the file ends in .NPY; rename it"),
        (None, lambda i: f"{i.lower()}.npy", "other capitals"),
        (None, lambda i: f"{i}.tif", "the file ends in .tif"),
        (None, lambda i: f"{i}.npy.gz", "the file ends in .npy.gz"),
        (lambda i: str(int(i[3:])), lambda i: f"000{i[3:]}.npy", "other zeros in front"),
        (lambda i: f"\u200b{i}", None, "marks that none can see"),
        (lambda i: f"{int(i[3:])}.0", lambda i: f"{int(i[3:])}.npy", "decimal numbers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_keeps_ids_from_their_files_is_said_once_with_examples_and_a_list(
    competition: Competition, new_id, new_file, words: str
):
    if new_file:
        rename(competition, new_file)
    if new_id:
        relabel(competition, new_id)
    message = competition.refusal()
    assert "none of the 12 ids" in message and message.count(words) == 1
    assert " and 9 more" in message and len(message.splitlines()) < 8
    new_id = new_id or (lambda name: name)
    listed = competition.listed.read_text()
    assert all(f"\t{printable(new_id(name))}\t" in listed for name in competition.train)


def spell(form: str) -> Callable[[str], str]:
    return lambda patch_id: unicodedata.normalize(form, f"forêt_{patch_id}")


def test_an_id_is_taken_for_the_file_that_differs_in_unicode_form_alone(competition: Competition):
    rename(competition, lambda patch_id: spell("NFD")(patch_id) + ".npy")
    relabel(competition, spell("NFC"))
    manifest, audit, page = competition.build()
    ids = [spell("NFC")(name) for name in competition.train]
    assert manifest["id"][:12].tolist() == ids == audit["ids_spelt_otherwise"]["train"]
    assert all(Path(path).is_file() for path in manifest["path"])
    assert audit["files_without_id"]["train"] == [] and audit["warnings"] == []
    assert "12 ids of train were taken for files" in page
    answers = "".join(f"{spell('NFD')(name)},1\n" for name in competition.test)
    for name in competition.test:
        competition.path(name).rename(competition.path(name).with_stem(spell("NFC")(name)))
    competition.csv("Test.csv", "ID\n" + "".join(spell("NFC")(n) + "\n" for n in competition.test))
    labels = competition.csv("Answers.csv", "ID,label\n" + answers)
    manifest, _, _ = competition.build(test_labels=labels)
    assert manifest["label"][12:].tolist() == [1, 1, 1, 1]


def test_two_ids_or_files_of_one_name_in_two_unicode_forms_are_kept_apart(competition: Competition):
    one, other = (spell(form)("ID_00") for form in ("NFC", "NFD"))
    relabel(
        competition, lambda name: one if name == "ID_00" else other if name == "ID_01" else name
    )
    competition.path("ID_00").rename(competition.path("ID_00").with_stem(one))
    message = competition.refusal()
    assert "1 id of" in message and "differ in the Unicode form" in message
    competition.path("ID_01").rename(competition.path("ID_01").with_stem(other))
    manifest, audit, _ = competition.build()
    assert [Path(path).stem for path in manifest["path"][:2]] == [one, other]
    assert audit["ids_spelt_otherwise"] == {"train": [], "test": []}


def test_patches_may_be_links_into_a_cache_that_is_named(competition: Competition):
    cache = competition.folder / "cache"
    cache.mkdir()
    for patch_id in competition.train:
        path = competition.path(patch_id)
        path.rename(cache / f"blob{patch_id}")
        path.symlink_to(cache / f"blob{patch_id}")
    message = competition.refusal()
    assert message.count("a link that leads out") == 1 and "data.links_into" in message
    assert "12 ids cannot be used" in message and "ID_00 (to " in message
    assert f"ID_11 (to {cache}/blobID_11)" in competition.listed.read_text()
    manifest, _, _ = competition.build(links_into=cache)
    assert (manifest["status"] == "ok").all()


def test_ids_without_a_likely_cause_are_counted_beside_those_that_have_one(
    competition: Competition,
):
    relabel(competition, lambda name: name if name > "ID_08" else f"{name}.npy")
    for patch_id in ("ID_10", "ID_11"):
        competition.path(patch_id).unlink()
    message = competition.refusal()
    assert "11 ids of" in message and "    9: the ids end in .npy" in message
    assert "    2: no likely cause: ID_10, ID_11\n" in message


def test_a_link_to_what_git_annex_has_not_fetched_is_named(competition: Competition):
    path = competition.path("ID_00")
    path.unlink()
    path.symlink_to(".git/annex/objects/00/SHA256E-s9--00.npy")
    message = competition.refusal()
    assert "1 id of" in message and "link to nothing; fetch it with git annex get" in message


def test_a_spare_file_whose_name_is_no_utf8_is_reported_in_escaped_form(competition: Competition):
    folder = competition.folder / "train_data"
    for name in (b"caf\xe9.npy", b"two\nlines\x1b[31m.npy"):
        np.save(folder / os.fsdecode(name), np.zeros(1))
    escaped = [r"caf\xe9.npy", r"two\nlines\x1b[31m.npy"]
    _, audit, page = competition.build()
    assert sorted(audit["files_without_id"]["train"]) == escaped
    assert all(name in page for name in escaped)
    competition.csv("Test.csv", "ID\nabsent\n")
    (competition.folder / "out").rename(competition.folder / "earlier")
    assert ", ".join(escaped) in competition.refusal()


def test_a_message_of_any_faults_is_a_screenful_and_its_file_has_all(competition: Competition):
    absent = [f"absent{number}" for number in range(2000)]
    doubled = [f"doubled{number}" for number in range(2000)]
    rows = [f"{name},{number}" for number, name in enumerate(absent)]
    rows += [f"{name},{name}" for name in doubled * 2]
    rows += [f"../{number}," for number in range(2000)] + [",1"] * 2000
    competition.csv("Train.csv", "\n".join(["ID,label", *rows]))
    competition.csv("Test.csv", "\n".join(["ID,label", *rows]))
    for number in range(2000):
        (competition.folder / "train_data" / f"spare{number}.npy").touch()
    message = competition.refusal()
    assert len(message.splitlines()) <= 40 and len(message) < 12_000
    listed = competition.listed.read_text()
    assert all(f"{name}" in listed for name in [*absent, *doubled, "../1999", "spare1999.npy"])


def test_the_list_of_a_refusal_goes_when_the_data_are_mended(competition: Competition):
    whole = (competition.folder / "Train.csv").read_text()
    competition.csv("Train.csv", whole + "".join(f"absent{n},1\n" for n in range(99)))
    competition.refusal()
    assert competition.listed.exists()
    competition.csv("Train.csv", whole)
    competition.build()
    assert not competition.listed.exists()
