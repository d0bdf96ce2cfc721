"""`load_catalog`: take over the catalogue's data files; a second run changes nothing."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from huika.domain.catalog import actions, files
from huika.domain.catalog.rows import CatalogDataError


class Command(BaseCommand):
    """Thin: one action, its report printed."""

    help = "Take over the catalogue's data files (issuers, kinds, limits, reasons, places) in one transaction."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--data` for an operator's own files, `--json` for programs."""
        parser.add_argument(
            "--data", type=Path, default=files.OWN_FOLDER, help="folder with changed copies of the files"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a line of text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 with the file and line where the data does not hold together."""
        folder: Path = options["data"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder")
        try:
            report = actions.load(folder)
        except CatalogDataError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
        else:
            self.stdout.write(
                f"catalogue {report.edition[:12]}: {report.created} created, {report.changed} changed, "
                f"{report.unchanged} unchanged, {report.unlisted} unlisted"
            )
