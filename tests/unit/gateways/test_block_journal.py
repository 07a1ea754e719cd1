"""Does a journal outlive its process, and is it nobody else's while that lives?"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.gateways.block_journal import SLOTS, FileJournal
from app.ports import LeftBlock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blocks"


@pytest.fixture
def journal(folder: Path) -> Iterator[FileJournal]:
    made = FileJournal(folder, database="one")
    yield made
    made.end()


def opened(journal: FileJournal, block_id: UUID, limit: int | None = 1000) -> int:
    slot = journal.open(block_id, limit=limit)
    assert slot is not None
    return slot


def left(folder: Path, database: str = "one") -> list[list[LeftBlock]]:
    return list(FileJournal(folder, database=database).left_behind())


def test_what_was_open_at_the_end_is_left_behind_once(journal: FileJournal, folder: Path) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    slots = [opened(journal, first), opened(journal, second, None), opened(journal, third)]
    for slot, used in zip(slots, (256, 2**40, 7), strict=True):
        journal.note(slot, used)
    journal.close(slots[2])
    assert left(folder) == [], "its process lives"
    journal.end()
    assert left(folder, database="another") == []
    (blocks,) = left(folder)
    assert {block.id: block for block in blocks} == {
        first: LeftBlock(first, 256, 1000),
        second: LeftBlock(second, 2**40, None),
    }
    assert left(folder) == []
    assert list(folder.iterdir()) == []


def test_who_asks_no_further_forgets_nothing(journal: FileJournal, folder: Path) -> None:
    opened(journal, uuid4())
    journal.end()
    asked = FileJournal(folder, database="one").left_behind()
    assert len(next(asked)) == 1
    assert left(folder) == [], "somebody is at it"
    asked.close()
    assert len(left(folder)) == 1


def test_an_end_without_open_slots_leaves_nothing(journal: FileJournal, folder: Path) -> None:
    journal.close(opened(journal, uuid4()))
    assert len(list(folder.iterdir())) == 1
    journal.end()
    assert list(folder.iterdir()) == []
    assert journal.open(uuid4(), limit=1) is None
    journal.end()


def test_slots_are_used_again_and_there_are_so_many(journal: FileJournal) -> None:
    slots = [opened(journal, uuid4()) for _ in range(SLOTS)]
    assert len(set(slots)) == SLOTS
    assert journal.open(uuid4(), limit=1) is None
    journal.close(slots[5])
    assert opened(journal, uuid4()) == slots[5]


def test_nothing_is_written_before_it_is_needed(journal: FileJournal, folder: Path) -> None:
    assert left(folder) == []
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = FileJournal(tmp_path / "file", database="one")
    assert [journal.open(uuid4(), limit=1) for _ in range(2)] == [None, None]
    assert list(journal.left_behind()) == []
    journal.end()


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(journal: FileJournal, folder: Path) -> None:
    block_id = uuid4()
    opened(journal, block_id)
    opened(journal, uuid4())
    journal.end()
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:40])
    assert left(folder) == [[LeftBlock(block_id, 0, 1000)]]


KILLED = """
import sys
from pathlib import Path
from uuid import UUID
from app.gateways.block_journal import FileJournal
journal = FileJournal(Path(sys.argv[1]), database="one")
slot = journal.open(UUID(int=7), limit=50_000)
for used in range(1, 1_000_000):
    journal.note(slot, used)
    if used % 1000 == 0:
        print(used, flush=True)
"""


def test_a_kill_takes_no_note_away(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(50):
            told = int(process.stdout.readline())
        assert left(folder) == []
        process.send_signal(signal.SIGKILL)
        told = max([told, *map(int, process.stdout.read().split())])
    ((block,),) = left(folder)
    assert block.id == UUID(int=7)
    assert told <= block.used <= told + 1000
