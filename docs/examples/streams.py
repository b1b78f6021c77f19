"""An archive and a few records in one message: written through file objects, to a file, and back."""

import io
import json
import pickle
import tempfile
import zipfile

import zbuf
from zbuf.audit import audit
from zbuf.io import read_fd, write_fd

PHOTO = bytes(range(256)) * 1024  # 256 KiB


def pack() -> zbuf.ByteBuf:
    buf = zbuf.buffer(1 << 20)
    buf.write_int(0)  # the length of the archive, filled in below
    with zipfile.ZipFile(zbuf.ByteBufWriter(buf), "w") as archive:
        archive.writestr(zipfile.ZipInfo("photo.raw"), PHOTO)
        archive.writestr(zipfile.ZipInfo("note.txt"), "taken at noon\n")
    buf.set_int(0, buf.writer_index - 4)
    with io.TextIOWrapper(zbuf.ByteBufWriter(buf), "utf-8") as text:
        text.write(json.dumps({"camera": "box"}) + "\n")
    pickle.dump({"exposure": 0.25}, zbuf.ByteBufWriter(buf), protocol=5)
    return buf


def unpack(buf: zbuf.ByteBuf) -> None:
    length = buf.read_int()
    with zipfile.ZipFile(zbuf.ByteBufReader(buf, length)) as archive:
        for entry in archive.infolist():
            print(entry.filename, entry.file_size)
        assert archive.read("photo.raw") == PHOTO
    buf.reader_index = 4 + length  # zipfile seeks about; where it stopped is its own affair
    lines = zbuf.ByteBufReader(buf)
    print(json.loads(lines.readline()))
    print(pickle.load(lines), "and", buf.readable_bytes, "bytes left")


def main() -> None:
    message = pack()
    size = message.readable_bytes
    with tempfile.TemporaryFile() as file:
        with audit() as opened:
            while message:
                write_fd(message, file)
        print("write_fd:", opened.bill.summary())

        arrived = zbuf.buffer(size)
        with audit() as opened:
            while len(arrived) < size and read_fd(arrived, file, size - len(arrived), offset=len(arrived)):
                pass
        print("read_fd:", opened.bill.summary())

        again = zbuf.buffer(size)
        with audit() as opened:
            file.seek(0)
            again.write_from(file, size)
            again.read_to(io.BytesIO())
        print("write_from, read_to:", opened.bill.summary())
    unpack(arrived)


main()
