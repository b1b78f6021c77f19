"""The parts of a multipart body, between markers that may be cut anywhere: several needles looked for at once."""

import zbuf

BODY = b"""\
--frontier\r
\r
first part\r
--frontier\r
\r
second part,\r
with a line that is --frontier\r
--frontier--\r
"""
START, NEXT, LAST = range(3)
MARKS = zbuf.MultiSearch([b"--frontier\r\n\r\n", b"\r\n--frontier\r\n\r\n", b"\r\n--frontier--"])

buf = zbuf.composite()
searched = 0  # behind what was searched before, less what may be the beginning of a mark
for at in range(0, len(BODY), 9):
    buf.append(BODY[at : at + 9])
    while (found := MARKS.find(buf, max(buf.reader_index, searched))) is not None:
        index, mark = found
        if mark != START:
            part = buf.slice(buf.reader_index, index - buf.reader_index)
            print(repr(part.to_string()), "in", type(part).__name__)
        buf.reader_index = index + len(MARKS.needles[mark])
        if mark == LAST:
            print("complete;", MARKS)
    searched = buf.writer_index - MARKS.longest + 1
