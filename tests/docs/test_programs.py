"""The programs of the documentation run, and print what the pages show."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs._running import EXAMPLES, SECONDS, output_of, running, shape_of, shown, without_run_of_the_clock

LISTENING = r"listening on port (\d+)"
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def example(name: str) -> str:
    """The path of a program."""
    return str(EXAMPLES / f"{name}.py")


def test_echo_client_prints_three_words_and_the_bill_on_the_page() -> None:
    """Three small frames: six pieces joined, one send, one recv, and the page shows exactly that."""
    with running(example("echo_server"), "0", listens=LISTENING) as server:
        assert output_of(example("echo_client"), str(server.port)) == shown("echo_client")


def test_echo_large_copies_nothing_in_user_space() -> None:
    """The bill of the sending of a million bytes has no copy, in any form."""
    with running(example("echo_server"), "0", listens=LISTENING) as server:
        printed = output_of(example("echo_large"), str(server.port))
    expected, actual = without_run_of_the_clock(shown("echo_large")), without_run_of_the_clock(printed)
    assert expected == actual
    assert "user copies                  0 bytes" in actual


def test_file_server_sends_the_file_by_sendfile_and_copies_nothing(tmp_path: Path) -> None:
    """8 MiB arrive whole, and the bill of the server knows them by sendfile alone."""
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(8 << 20)
    with running(example("file_server"), "0", str(big), listens=LISTENING) as server:
        assert output_of(example("file_client"), str(server.port)) == shown("file_client")
        server.read_until("sendfile")
    expected, actual = without_run_of_the_clock(shown("file_server")), without_run_of_the_clock(server.printed)
    assert expected == actual
    assert actual.endswith("recv 20\nsend 4\nsendfile 8388608")


def test_file_server_reads_a_small_file_as_the_page_says(tmp_path: Path) -> None:
    """20 KiB are read behind the head, and billed as such."""
    small = tmp_path / "small.bin"
    with small.open("wb") as file:
        file.truncate(20 << 10)
    with running(example("file_server"), "0", str(small), listens=LISTENING) as server:
        assert output_of(example("file_client"), str(server.port)).startswith("20480 bytes")
        server.read_until("copied by the kernel")
    assert re.search(r"file_read +20,480 bytes in 1 copies", server.printed)
    assert "sendfile" not in server.printed


def test_four_ways_prints_the_table_on_the_page() -> None:
    """Join and read copy each byte once, gather and sendfile none."""
    printed = output_of(example("four_ways"))
    expected, actual = (_one_kind_of_send(text) for text in (shown("four_ways"), printed))
    assert expected == actual


def _one_kind_of_send(text: str) -> list[str]:
    """The rows with the bytes of send and sendmsg added up: the last of many pieces may travel alone."""
    rows = []
    for row in text.splitlines():
        sends = re.findall(r"\bsend(?:msg)? ([\d,]+)", row)
        total = sum(int(number.replace(",", "")) for number in sends)
        rows.append(re.sub(r"\bsend(msg)? [\d,]+(, )?", "", row) + (f"sent {total}" if sends else ""))
    return rows


def test_streams_prints_what_the_page_shows() -> None:
    """An archive, a line and a pickle go to a file and come back; no bill has a copy."""
    printed = output_of(example("streams"))
    assert shown("streams") == printed
    assert printed.count("copied: nothing") == 3


def test_tokens_prints_the_words_on_the_page_and_copies_nothing_else() -> None:
    """Lines cut anywhere; the bill has the bytes of the words, as text, and nothing of the search."""
    printed = output_of(example("tokens"))
    assert shown("tokens") == printed
    assert printed.endswith("copied: 29 bytes, text\n")


def test_boundaries_prints_the_parts_on_the_page() -> None:
    """Both parts come out whole, and the last mark is told from the one that goes on."""
    assert shown("boundaries") == output_of(example("boundaries"))


def test_compressed_stream_prints_what_the_page_shows() -> None:
    """Each line is answered before the next is sent; the bomb is refused. Sizes are those of the zlib that is there."""
    printed = output_of(example("compressed_stream"))
    assert shape_of(shown("compressed_stream")) == shape_of(printed)
    assert "max_ratio 200" in printed


def test_metrics_prints_what_the_page_shows() -> None:
    """Each event of the sending, and the counters of one role as Prometheus scrapes them."""
    assert shown("metrics") == output_of(example("metrics"))


@needs_curl
def test_serve_prints_the_bills_on_the_page(tmp_path: Path) -> None:
    """Each request of the page, made with curl, prints the bill that the page shows; only numbers may differ."""
    _make_site(tmp_path)
    with running("-m", "zbuf", "serve", str(tmp_path), "--port", "0", listens=r"http://127\.0\.0\.1:(\d+)/") as server:
        server.read_until("Ctrl-C")
        for name, arguments in {
            "big": ["/big.bin"],
            "small": ["/hello.txt"],
            "range": ["/big.bin", "-C", "1000000"],
            "listing": ["/"],
            "missing": ["/missing"],
            "aborted": ["/big.bin", "--max-time", "0.3", "--limit-rate", "1M"],
        }.items():
            _curl(server.port, tmp_path / "got", *arguments)
            assert shape_of(shown(f"serve_{name}")) == shape_of(server.read_until("system calls")), name
    start, end = shown("serve_start"), shown("serve_end")
    assert server.printed.startswith("zbuf ")
    assert shape_of(start) == shape_of("".join(server.printed.splitlines(keepends=True)[:3]))
    assert shape_of(end) == shape_of("".join(server.printed.splitlines(keepends=True)[-4:]))


@needs_curl
def test_serve_directory_prints_what_the_page_shows(tmp_path: Path) -> None:
    """The program's own report: the small file is copied, the large one is not."""
    _make_site(tmp_path)
    with running(example("serve_directory"), str(tmp_path), "0", listens=r"serving on port (\d+)") as server:
        for target in ("/hello.txt", "/big.bin"):
            _curl(server.port, tmp_path / "got", target)
            server.read_until(target)
    assert shown("serve_directory").splitlines()[1:] == server.printed.splitlines()[1:]


def _make_site(path: Path) -> None:
    with (path / "big.bin").open("wb") as file:
        file.truncate(64 << 20)
    (path / "hello.txt").write_text("Hello from a small file.\n")


def _curl(port: int, target: Path, path: str, *options: str) -> None:
    line = ["curl", "-s", "-o", str(target), *options, f"http://127.0.0.1:{port}{path}"]
    subprocess.run(line, timeout=SECONDS, check=False)


@pytest.mark.parametrize(
    ("name", "needs"),
    [("numpy_samples", "numpy"), ("process_pool", "numpy"), ("arrow_stream", "pyarrow")],
)
def test_programs_that_share_bytes_with_others_print_what_the_page_shows(name: str, needs: str) -> None:
    """Nothing is copied to look at them, and nothing is left in shared memory."""
    pytest.importorskip(needs, reason=f"{needs} is not installed")
    assert output_of(example(name)) == shown(name)


def test_find_a_leak_prints_the_report_on_the_page() -> None:
    """The line that leased the block, its last touch, and who holds it; ages differ from run to run."""
    printed = output_of(example("find_a_leak"))
    assert shape_of(shown("find_a_leak")) == shape_of(printed)
