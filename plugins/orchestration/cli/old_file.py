"""``import``: our workflows.yaml from that of the replaced system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import SET_UP, AsJson, Misuse, command
from orchestration.cli.screen import show_object
from orchestration.config import read
from orchestration.errors import UserError
from orchestration.planning.other_system.old_file import imported
from orchestration.words import ExitCode, plural


@command("import", SET_UP, "old/workflows.yaml", "old/workflows.yaml --to config/workflows.yaml")
def import_file(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The replaced system's workflows.yaml.")],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="The file to write. Default: OLD with -imported in its name."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write our workflows.yaml from the replaced system's.

    Every workflow and scraper is kept. Tables, pools, parameters and timeouts of known scrapers are added, with a
    comment at each decision. The list that follows names what could not be known. An existing file is not
    overwritten. The exit code is 1 if the list names something of the old file, else 0.
    """
    target = to or old.with_name(f"{old.stem}-imported{old.suffix or '.yaml'}")
    if target.exists():
        raise Misuse(f"{target} exists", next_step="give another file with --to")
    done = imported(read(old), old.name)
    try:
        target.write_text(done.text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{target}: {error.strerror}", next_step="give another file with --to") from error
    if as_json:
        show_object({"file": str(target), "decided": done.decided, "unknown": done.unknown, "to_set": done.to_set})
    else:
        print(f"{target}: written, {plural(len(done.decided), 'decision')} (a comment at each)")
        for title, lines in (("Could not be known:", done.unknown), ("Look at these too:", done.to_set)):
            print("\n".join([title, *(f"  {line}" for line in lines)]) if lines else f"{title} nothing")
        print(f"next: python -m orchestration validate {target}")
    return ExitCode.FOUND if done.unknown else ExitCode.WELL
