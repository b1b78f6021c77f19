"""The test of posts.py."""

import pytest
from posts import Post, PostDecoder, PostEncoder

from zbuf import default_allocator, wrap
from zbuf.errors import CorruptedFrameError, EncodeError, IncompleteFrameError, TooLongFrameError
from zbuf.testing import check_decoder


def encoded(*posts: Post) -> bytes:
    """What the encoder makes of some posts."""
    encoder = PostEncoder()
    return b"".join(bytes(part) for post in posts for part in encoder.encode(post, default_allocator()))


def test_posts_come_back_however_they_are_cut() -> None:
    posts = [Post("news", wrap(b"rain")), Post("día", wrap(b"")), Post("x" * 255, wrap(bytes(300)))]
    check_decoder(PostDecoder, encoded(*posts), posts)


def test_input_that_ends_inside_a_post() -> None:
    post = Post("news", wrap(b"rain"))
    check_decoder(PostDecoder, encoded(post) + b"\x00\x00\x00\x05\x01n", [post, IncompleteFrameError])


@pytest.mark.parametrize(
    "bad", [b"\x00\x00\x00\x00", b"\x00\x00\x00\x02\x00x", b"\x00\x00\x00\x02\x02x", b"\x00\x00\x00\x02\x01\xff"]
)
def test_bad_post_is_refused_and_the_next_one_read(bad: bytes) -> None:
    post = Post("news", wrap(b"rain"))
    check_decoder(PostDecoder, bad + encoded(post), [CorruptedFrameError, post])


def test_post_of_two_gigabytes_is_refused_before_it_comes() -> None:
    check_decoder(PostDecoder, b"\x80\x00\x00\x00", [TooLongFrameError])


@pytest.mark.parametrize("topic", ["", "x" * 256, "é" * 128])
def test_topic_that_has_no_length_is_not_sent(topic: str) -> None:
    with pytest.raises(EncodeError):
        encoded(Post(topic, wrap(b"")))
