"""The YARA rules on disk: a folder of `*.yar` files and their `catalog.toml`, read as text for the warm parent to compile."""

from __future__ import annotations

from pathlib import Path


def builtin_folder() -> Path:
    """The rules that come with the product: beside the packages in a source tree, inside this one when installed."""
    inside = Path(__file__).parent / "rules"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "rules"


def read(folder: Path) -> dict[str, str]:
    """File name → text of every rule file and the catalog. Raises OSError, or ValueError when the folder holds no rule."""
    wanted = [path for path in sorted(folder.iterdir()) if path.suffix == ".yar" or path.name == "catalog.toml"]
    files = {path.name: path.read_text("utf-8") for path in wanted}
    if not any(name.endswith(".yar") for name in files):
        raise ValueError(f"{folder.name}: no *.yar file")
    return files
