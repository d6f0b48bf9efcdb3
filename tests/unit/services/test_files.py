"""Which paths name the same file, in all forms in which systems note them."""

import pytest

from orchestration.services.files import FilePath, KnownFiles
from support.rows import PATH_FORMS


def same(one, other):
    forwards, backwards = FilePath.of(one).fits(FilePath.of(other)), FilePath.of(other).fits(FilePath.of(one))
    assert forwards == backwards
    return forwards


@pytest.mark.lesson("A3")
@pytest.mark.parametrize("form", PATH_FORMS)
def test_a_path_with_a_bucket_fits_the_name_of_its_object(form):
    assert same("gs://b/x/1.json", form)


@pytest.mark.lesson("A3")
def test_the_paths_of_the_real_system_fit():
    name = "nba-com/schedule/2025-26/20260115_110000_000000.json"
    assert same(f"gs://nba-scraped-data/{name}", name)
    assert same(f"gs://nba-scraped-data/{name}", f"/nba-scraped-data/{name}")
    assert not same(f"gs://nba-scraped-data/{name}", name.replace("11", "12"))
    assert not same(f"gs://nba-scraped-data/{name}", f"other/{name}")


@pytest.mark.lesson("A3")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gs://a/x/1.json", "gs://b/x/1.json"),
        ("gs://a/b/x.json", "gs://b/x.json"),
        ("gs://b/x/1.json", "1.json"),
        ("gs://b/x/1.json", "a/b/x/1.json"),
        ("gs://b/x/1.json", "x/1.json/"[:-2]),
        ("b/x.json", "x.json"),
        ("gs://b/x/1.json", "unknown"),
        ("gs://b/x/1.json", ""),
        ("gs://b/x%2F1.json", "gs://b/x/1.json"),
    ],
)
def test_two_different_files_never_match(one, other):
    assert not same(one, other)


@pytest.mark.lesson("A3")
def test_a_first_part_that_may_be_bucket_or_folder_is_compared_both_ways():
    assert same("b/x.json", "gs://b/x.json")
    assert same("b/x.json", "gs://any/b/x.json")
    assert KnownFiles(["gs://b/x.json"]).named(["b/x.json"]) == {FilePath("b", "x.json")}
    assert KnownFiles(["gs://any/b/x.json"]).named(["b/x.json"]) == {FilePath("any", "b/x.json")}
    assert KnownFiles(["gs://b/x.json", "gs://any/b/x.json"]).named(["b/x.json"]) == set()


def test_a_bare_path_names_the_file_with_exactly_this_path_first():
    assert KnownFiles(["b/x.json", "gs://any/b/x.json"]).named(["b/x.json"]) == {FilePath(None, "b/x.json")}
