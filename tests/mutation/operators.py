"""Do the tests notice a small change of the code itself? `python -m tests.mutation.operators FAMILY [WORD...]`, FAMILY a key of `FAMILIES`.

Every change of `changes` to every module of the family, one at a time, each in a fork of a process that has everything loaded and the tests
collected. A function gets its changed code where it stands, and the tests that call it are run until one fails; a table is worked out anew and
put wherever it was imported. What belongs to the body of a class is met by a process of its own, which loads the changed module first.

The words choose the changes with one of them in module, line or name. Prints a line for each that no test noticed; those that stand in
survivors.toml beside the reason why nothing can notice them are counted apart. Ends with 1 if there are others.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple

import coverage
import pytest

from tests.mutation.changes import Change, changes, functions

_TOP: Final = Path(__file__).resolve().parents[2]
# Of pytest's plugins only what the tests need; the suite's own marks and modes.
_OPTIONS: Final = (
    "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-o", "addopts=--import-mode=importlib -m 'not slow'",
    "--tb=no", "-q",
)  # fmt: skip
_SECONDS: Final = 3             # of processor time above four times what the tests need
_MEMORY: Final = 6 << 30


class Family(NamedTuple):
    """Modules (files or folders), and what pytest is told to run."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


_VERIFY: Final = "tests/sanitizers/verify"
_FORMS: Final = "tests/gateway/test_policy_form.py"
# Verifiers → the tests that are about them, a word each.
_OPINIONS: Final = {
    **{name: name for name in ("archive", "compound", "doc", "html", "jtd", "metafile", "old_words", "parts", "ppt", "rtf", "spelled", "svg", "text", "vobject", "xls")},
    "image": "image image_png image_tiff image_webp", "image_size": "image_size", "odf": "odf_rules odf", "message": "message_rules message", "pdf_pages": "pdf_weights pdf_pages", "pdf_drawing": "pdf_drawing pdf_weights pdf_pages", "pdf_weights": "pdf_weights pdf_pages",
    "pdf": "pdf pdf_pages", **dict.fromkeys(("pdf_attached", "pdf_names"), "pdf_names pdf"), "pdf_walk": "pdf_walk pdf_names pdf",
    "ooxml": "ooxml", "ooxml_package": "ooxml_package ooxml",
    **dict.fromkeys(("ooxml_calls", "ooxml_markup"), "ooxml ooxml_calls"), "ooxml_meaning": "ooxml_meaning ooxml",
}  # fmt: skip
FAMILIES: Final = {
    "policy": Family(
        tuple(f"gateway/policy/{name}.py" for name in ("dangers", "deciding", "document", "layers", "reading", "strengths", "telling")),
        tuple(f"tests/gateway/test_policy{name}.py" for name in ("", "_reading", "_told", "_layers", "_dangers", "_exceptions")),
    ),
    "policy-form": Family(("gateway/policy/form.py",), (_FORMS, f"--deselect={_FORMS}::test_any_answers_say_what_they_say_and_leave_the_rest")),
    "post": Family(("mail/retry.py", "mail/replies.py"), ("tests/mail/test_retry.py", "tests/mail/test_replies.py")),
    "names": Family(("sanitizers/names.py",), ("tests/sanitizers/test_names.py",)),
    "charset": Family(("sanitizers/charset.py",), ("tests/sanitizers/test_charset_labels.py", "tests/sanitizers/test_charset_guess.py", "tests/sanitizers/test_charset.py")),
    "wire": Family(("sanitizers/wire.py",), ("tests/sanitizers/test_wire.py",)),
    "jail": Family(("sanitizers/jail",), ("tests/sanitizers/jail",)),
    **{f"verify-{name}": Family((f"sanitizers/verify/{name}.py",), tuple(f"{_VERIFY}/test_{test}.py" for test in tests.split())) for name, tests in _OPINIONS.items()},
}
Calls = dict[str, list[int]]      # file and qualified name of a function → the tests that call it, by their place


# ----------------------------------------------------------------------------------------------------------- one change made


def put_code(file: Path, function: str, changed: CodeType) -> bool:
    """Gives a loaded function its new code. False if there is none of that name, or it is not as it was."""
    code = _code_of(changed, function)
    if code is None:
        return False
    *outer, last = function.split(".")
    holder: Any = sys.modules[name_of(file)]
    for name in outer:
        holder = getattr(holder, name, None)
    found: Any = vars(holder).get(last) if holder is not None else None
    while found is not None and not (isinstance(found, FunctionType) and found.__code__.co_qualname == function):
        found = next((getattr(found, name) for name in ("__wrapped__", "__func__", "fget", "func") if hasattr(found, name)), None)
    if found is not None:
        found.__code__ = code
    return found is not None


def _code_of(code: CodeType, function: str) -> CodeType | None:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_qualname == function:
                return inner
            if found := _code_of(inner, function):
                return found
    return None


def put_tables(module: ModuleType, changed: CodeType) -> None:
    """Works out the module anew and puts what differs wherever it is known by its name."""
    fresh: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__, "__package__": module.__package__}
    exec(changed, fresh)
    for name, value in fresh.items():
        old = vars(module).get(name)
        if name.startswith("__") or isinstance(value, FunctionType | type | ModuleType) or old == value:
            continue
        for other in [one for one in sys.modules.values() if vars(one).get(name) is old]:
            setattr(other, name, value)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from code that was changed."""

    def __init__(self, name: str, path: str, changed: CodeType) -> None:
        super().__init__(name, path)
        self._changed = changed

    def get_code(self, fullname: str) -> CodeType:
        return self._changed


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, file: Path, changed: CodeType) -> None:
        self._name, self._file, self._changed = name, file, changed

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Loader(fullname, str(self._file), self._changed)
        return importlib.util.spec_from_file_location(fullname, self._file, loader=loader)


def name_of(file: Path) -> str:
    """Of the module in a file of the product."""
    return ".".join(file.relative_to(_TOP).with_suffix("").parts).removesuffix(".__init__")


# ---------------------------------------------------------------------------------------------------------------- in a fork


def forked(work: Callable[[int], int], seconds: int = 0) -> tuple[str, bool]:
    """Does `work` in a fork of this process. Returns what it wrote into the pipe that it is given, and whether it ended with 0."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setpgid(0, 0)
            silent = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(silent, standard)
            if seconds:
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            code = work(writing)
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    try:
        os.killpg(child, signal.SIGKILL)        # whatever it had started
    except ProcessLookupError:
        pass
    return said, status == 0


class Hunt:
    """A plugin of pytest: where the tests would be run, they are run once for each change."""

    def __init__(self, family: Family, words: Sequence[str]) -> None:
        self._files = list(_files(family))
        self._family, self._words = family, words
        self._failed = ""
        self._plain: dict[Path, bool] = {}
        self._first: list[int] = []         # tests that noticed something, the last one first
        self.survived = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed = self._failed or report.nodeid

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        calls, seconds = self._learn(session)
        explained = _explained()
        tried = known = 0
        for file in self._files:
            path, source = str(file.relative_to(_TOP)), file.read_text("utf-8")
            tree = ast.parse(source)
            for change in changes(tree):
                if self._words and not any(word in f"{path}:{change.line} {change.name}" for word in self._words):
                    continue
                tried += 1
                if self._noticed(session, file, tree, change, calls, seconds):
                    continue
                name = " ".join(change.name.split())
                known += (is_known := f"{path} {name}" in explained)
                self.survived += not is_known
                if not is_known:
                    _say(f"SURVIVED  {path}:{change.line}  {name}")
            _say(f"{path}: so far {tried} changes, {tried - self.survived - known} noticed, {known} explained, {self.survived} survived")
        return True

    def _learn(self, session: pytest.Session) -> tuple[Calls, int]:
        """Which tests call which function, and how many seconds of processor time all of them may take. Raises SystemExit if one fails."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said, good = forked(lambda pipe: self._watched(session, pipe))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not good:
            raise SystemExit(f"the tests fail without a change: {said[-300:]}")
        calls: Calls = defaultdict(list)
        for line in said.splitlines():
            test, _, function = line.partition(" ")
            calls[function].append(int(test))
        return calls, _SECONDS + 4 * int(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    def _watched(self, session: pytest.Session, pipe: int) -> int:
        """Runs all tests and writes which of them come through which function."""
        watch = coverage.Coverage(data_file=None, config_file=False, include=[str(file) for file in self._files])
        watch.start()
        code = self._run(session, range(len(session.items)), pipe, watch.switch_context)
        watch.stop()
        for file in self._files if code == 0 else ():
            lines = watch.get_data().contexts_by_lineno(str(file))
            for function, first, last in functions(ast.parse(file.read_text("utf-8"))):
                tests = {test for line, tests in lines.items() if first < line <= last for test in tests if test}
                os.write(pipe, "".join(f"{test} {file} {function}\n" for test in sorted(tests, key=int)).encode())
        return code

    def _noticed(self, session: pytest.Session, file: Path, tree: ast.Module, change: Change, calls: Calls, seconds: int) -> bool:
        """Makes the change in a fork, so that `tree` stays as it is here."""
        tests = calls[f"{file} {change.function}"] if change.function else range(len(session.items))
        plain = change.function or (change.name.startswith("module: ") and self._has_plain_tables(session, file, seconds))
        if not tests or not plain:      # what no test calls may still make a table
            _, good = forked(lambda _pipe: _anew(file, _compiled(file, tree, change), self._family.tests), seconds + 5)
            return not good
        ordered = [one for one in self._first if one in tests] + [one for one in tests if one not in self._first]

        def work(pipe: int) -> int:
            changed = _compiled(file, tree, change)
            if not change.function:
                put_tables(sys.modules[name_of(file)], changed)
            elif not put_code(file, change.function, changed):
                os.write(pipe, b"no such function")
            return self._run(session, ordered, pipe)

        said, good = forked(work, seconds)
        if said.startswith("no such function"):
            raise SystemExit(f"{file}: {change.function} is not found")
        if said.startswith("FAILED "):
            killer = int(said.split()[1])
            self._first = [killer, *(one for one in self._first if one != killer)]
        return not good

    def _has_plain_tables(self, session: pytest.Session, file: Path, seconds: int) -> bool:
        """Whether the module's tables can be worked out anew beside its old classes."""
        if file not in self._plain:
            same = compile(file.read_text("utf-8"), str(file), "exec", dont_inherit=True)

            def work(pipe: int) -> int:
                put_tables(sys.modules[name_of(file)], same)
                return self._run(session, range(len(session.items)), pipe)

            _, self._plain[file] = forked(work, seconds)
        return self._plain[file]

    def _run(self, session: pytest.Session, tests: Sequence[int], pipe: int, tell: Callable[[str], object] | None = None) -> int:
        """Runs tests until one fails, whose place is written. `tell` hears of each before it begins."""
        for place, test in enumerate(tests):
            item = session.items[test]
            following = session.items[tests[place + 1]] if place + 1 < len(tests) else None
            if tell is not None:
                tell(str(test))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                os.write(pipe, f"FAILED {test} {self._failed}".encode())
                return 1
        return 0


def _compiled(file: Path, tree: ast.Module, change: Change) -> CodeType:
    change.make()
    return compile(tree, str(file), "exec", dont_inherit=True)


def _anew(file: Path, changed: CodeType, tests: Sequence[str]) -> int:
    """The tests in an interpreter of its own that meets the changed module when it first asks for it."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        import marshal  # only here: what it writes is read by the same interpreter

        os.write(writing, marshal.dumps(changed))
        os._exit(0)
    os.close(writing)
    os.set_inheritable(reading, True)
    os.execv(sys.executable, [sys.executable, "-m", "tests.mutation.operators", "--anew", str(file), str(reading), *tests])


def _meet(file: Path, reading: int, tests: Sequence[str]) -> int:
    import marshal

    with os.fdopen(reading, "rb") as pipe:
        sys.meta_path.insert(0, _Finder(name_of(file), file, marshal.loads(pipe.read())))
    return int(pytest.main(["-x", *_OPTIONS, *tests]))


def _files(family: Family) -> Iterator[Path]:
    for name in family.modules:
        path = _TOP / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def _explained() -> dict[str, str]:
    """`module function: change` → why no test can notice it."""
    with (_TOP / "tests/mutation/survivors.toml").open("rb") as file:
        return {f"{module} {name}": why for module, names in tomllib.load(file).items() for name, why in names.items()}


def _say(line: str) -> None:
    os.write(_OUT, f"{line}\n".encode())


_OUT: Final = os.dup(1)         # pytest takes the other one


def main(arguments: list[str]) -> int:
    """Runs a family. Returns the exit code."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if arguments[0] == "--anew":
        return _meet(Path(arguments[1]), int(arguments[2]), arguments[3:])
    family = FAMILIES[arguments[0]]
    hunt = Hunt(family, arguments[1:])
    code = pytest.main([*_OPTIONS, "-p", "no:xdist", "-s", *family.tests], plugins=[hunt])
    return int(code) or int(hunt.survived > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
