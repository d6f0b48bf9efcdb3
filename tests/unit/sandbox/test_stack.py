"""The folder of a stack holds connections and rows: nobody else's on this machine."""

from sandbox.stack import Ports, Stack


def test_only_its_owner_can_look_into_the_folder_of_a_stack(tmp_path, monkeypatch):
    monkeypatch.setattr(Stack, "_start", lambda _: None)
    monkeypatch.setattr(Ports, "check_free", lambda _: None)
    home = tmp_path / ".demo"
    home.mkdir(mode=0o755)
    with Stack(home):
        assert home.stat().st_mode & 0o777 == 0o700
        assert (home / "env.sh").exists()
