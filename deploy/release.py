"""What the last release held, read from git; nothing is checked out and nothing is changed."""

import shutil
import subprocess
from pathlib import Path


class GitError(RuntimeError):
    """Git could not answer; the text says what was asked and what it said."""


def last_tag(root: Path) -> str | None:
    """The highest release tag (``v*``) that the present commit contains; none before the first.

    Raises ``GitError`` where ``root`` is no git repository.
    """
    asked = ("tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-version:refname")
    tags = _git(root, "-c", "versionsort.suffix=-", *asked).split()
    return tags[0] if tags else None


def texts(root: Path, tag: str, folder: Path) -> dict[Path, str]:
    """The files that ``folder`` held at ``tag``, by path; empty where it held none.

    Raises ``GitError`` for an unknown tag.
    """
    listed = _git(root, "ls-tree", "-z", "--name-only", tag, f"{folder.as_posix()}/")
    return {Path(name): _git(root, "show", f"{tag}:{name}") for name in listed.split("\0") if name}


def _git(root: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise GitError("git was not found; install it to compare with the last release.")
    done = subprocess.run(
        [git, "-C", str(root), *arguments], capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise GitError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
