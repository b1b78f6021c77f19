"""The chain against a plain list: random comings and goings, between events and in the middle of one."""

from hypothesis import given
from hypothesis import strategies as st

from zbuf.errors import PipelineError
from zbuf.pipeline import Handler
from zbuf.testing import EmbeddedChannel

NAMES = st.sampled_from("abcdef")
ACTS = st.one_of(
    st.tuples(st.sampled_from(["add_first", "add_last", "remove"]), NAMES),
    st.tuples(st.sampled_from(["add_before", "add_after", "replace"]), NAMES, NAMES),
)


class Node(Handler):
    """Notes its visits; carries out what is planned for it in the middle of an event, then passes on."""

    plans: list

    def __init__(self, name, visits, plans):
        self.name = name
        self.visits = visits
        self.plans = plans
        self.lives = 0

    def handler_added(self, ctx):
        self.lives += 1

    def handler_removed(self, ctx):
        self.lives -= 1

    def channel_read(self, ctx, msg):
        self.visits.append(self.name)
        if self.plans:
            self.plans.pop()()
        ctx.fire_channel_read(msg)


class World:
    """A pipeline and the list that it must equal."""

    def __init__(self):
        self.channel = EmbeddedChannel()
        self.model = []
        self.visits = []
        self.plans = []
        self.nodes = []

    def act(self, act):
        """Do the same to both; what the model refuses the pipeline must refuse with the documented error."""
        pipeline, (verb, *names) = self.channel.pipeline, act
        node = Node(names[-1], self.visits, self.plans)
        wanted = self._expect(verb, names)
        arguments = names if verb == "remove" else [*names, node]
        try:
            getattr(pipeline, verb)(*arguments)
        except (KeyError, PipelineError) as exc:
            got = type(exc)
        else:
            got = None
            if verb != "remove":
                self.nodes.append(node)
        assert got is wanted, (act, self.model)
        self.check()

    def _expect(self, verb, names):
        model, name = self.model, names[-1]
        base = names[0] if len(names) == 2 or verb == "remove" else None
        if base is not None and base not in model:
            return KeyError
        if verb == "remove":
            model.remove(name)
            return None
        if name in model and not (verb == "replace" and name == base):
            return PipelineError
        at = {"add_first": 0, "add_last": len(model)}.get(verb, model.index(base) if base in model else 0)
        if verb == "replace":
            model[at] = name
        else:
            model.insert(at + (verb == "add_after"), name)
        return None

    def check(self):
        """Names, order and the walk in both directions agree with the list; every handler was told what it should."""
        pipeline = self.channel.pipeline
        assert pipeline.names() == self.model and len(pipeline) == len(self.model)
        back = []
        ctx = pipeline.context(self.model[-1]) if self.model else None
        while ctx is not None and ctx.handler is not None and len(back) <= len(self.model):
            back.append(ctx.name)
            before = self.model.index(ctx.name)
            ctx = pipeline.context(self.model[before - 1]) if before else None
        assert back == self.model[::-1]
        alive = {id(pipeline.get(name)) for name in self.model}
        assert all(node.lives == (id(node) in alive) for node in self.nodes)


@given(acts=st.lists(ACTS, max_size=30), inside=st.lists(ACTS, max_size=8))
def test_random_changes_agree_with_a_list_b172(acts, inside):
    """Whatever is added, removed and replaced, also by handlers in mid-event: order kept, everybody told once."""
    world = World()
    for act in acts:
        world.act(act)
    world.plans += [lambda act=act: world.act(act) for act in inside]
    while world.model and world.plans:
        before, visits = len(world.plans), world.visits
        del visits[:]
        world.channel.write_inbound("x")
        assert world.channel.read_inbound() == "x" and world.channel.read_inbound() is None
        assert visits and len(world.plans) < before
    del world.visits[:]
    world.channel.write_inbound("x")
    assert world.visits == world.model
    world.channel.release_inbound()
    world.channel.finish()
    assert world.channel.pipeline.names() == [] and all(node.lives == 0 for node in world.nodes)
