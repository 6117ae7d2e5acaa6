"""The terminal face: the same commands as Slack, over the same desk."""

from collections.abc import Callable, Iterable

from rich.console import Console
from rich.text import Text

from bot import screen
from bot.desk import LOG_USAGE, Desk, Viewer
from bot.scribe import Brief
from bot.wording import listed
from storage.errors import BadInput, RapportError, UnknownAccount

HANDOFF_USAGE = "Say what and to whom, for example: /handoff Acme Corp to ana"

HELP = """\
/log WHO: TEXT          keep a note, e.g.  /log Acme Corp: Dana wants a quarterly plan, I'll send it by Friday
/brief WHO              what to know before the next touch, e.g.  /brief Priya Sharma
/recall WHO: QUESTION   find it by meaning, e.g.  /recall acme: what pricing objections came up?
/timeline WHO           every note, newest first
/next [WHO]             open next steps and promises;  /next add WHO: WHAT by WHEN;  /next done NUMBER
/digest                 the week, the most urgent deal first
/health WHO             the score through time;  /why WHO  point by point
/handoff WHO to REP     give an account on, with its open steps;  /handoff undo NUMBER
/pipeline               deals by stage, weighted by health
/accounts               who is on record
help, quit
A name that is new: put a + before it, e.g.  /log +Initech: first call, they use spreadsheets today"""

TOUR = (
    ("Before a call: what is on record about Priya, every line with the note that proves it.", "/brief Priya Sharma"),
    (
        "A question, answered by meaning and only from that account.",
        "/recall acme-01: What pricing objections came up on this account?",
    ),
    ("Why is James's deal where it is? Each point names its note.", "/why James Okafor"),
    ("Monday morning: every deal once, the most urgent first.", "/digest"),
    ("What nobody ever said is not made up.", "/recall Rentokil: Did they ask about a mobile app?"),
)


class Shell:
    """Reads commands, prints answers. Knows no Slack; a new command is one method and one entry in `_commands`."""

    def __init__(self, desk: Desk, viewer: Viewer, console: Console) -> None:
        self._desk = desk
        self._viewer = viewer
        self._console = console
        self._commands: dict[str, Callable[[str], Text]] = {
            "log": self._log,
            "brief": lambda who: screen.brief(self._brief(who)),
            "recall": lambda line: screen.answer(desk.in_words(viewer, desk.recall_line(viewer, line))),
            "timeline": lambda who: screen.timeline(desk.timeline(viewer, who)),
            "why": lambda who: screen.health_items(desk.plain_brief(viewer, who)),
            "next": self._next,
            "digest": lambda _: screen.digest(desk.digest(viewer)),
            "health": lambda who: screen.course(desk.course(viewer, who)),
            "handoff": self._handoff,
            "pipeline": lambda _: screen.pipeline(desk.pipeline(viewer)),
            "accounts": lambda _: Text(listed(name for _, name in desk.account_names(viewer)) or "No accounts yet."),
            "help": lambda _: Text(HELP),
        }

    def tour(self) -> None:
        """The scripted tour."""
        for why, line in TOUR:
            self._console.print(Text(f"\n{why}", style="italic"))
            self._console.print(Text(f"> {line}", style="bold cyan"))
            self.run(line)

    def loop(self, lines: Iterable[str]) -> None:
        """Run lines until they end or one says quit."""
        for line in lines:
            if line.strip().lstrip("/").casefold() in ("quit", "exit"):
                return
            if line.strip():
                self.run(line)

    def run(self, line: str) -> bool:
        """One command; False when it ended in an error, which has been said."""
        name, _, rest = line.strip().removeprefix("/").partition(" ")
        command = self._commands.get(name.casefold())
        if command is None:
            self._say(Text(f"I don't know '{name[:40]}'. Type help for what I do know."))
            return False
        try:
            self._say(command(rest.strip()))
        except UnknownAccount as error:
            self._say(Text(f"{error} To start one: /log +{error.name.strip()[:40]}: what was said"))
            return False
        except RapportError as error:
            self._say(Text(str(error)))
            return False
        return True

    def _say(self, text: Text) -> None:
        text.rstrip()
        self._console.print(text, soft_wrap=True)

    def _brief(self, who: str) -> Brief:
        return self._desk.brief(self._viewer, who)

    def _log(self, line: str) -> Text:
        if not line:
            return Text(LOG_USAGE)
        receipt = self._desk.log_line(self._viewer, line)
        self._desk.memory.catch_up()
        return screen.receipt(receipt)

    def _next(self, line: str) -> Text:
        verb, _, rest = line.partition(" ")
        if verb == "add":
            step = self._desk.add_step(self._viewer, rest)
            return Text(f"Noted as #{step.id}: {screen.step_line(step)}")
        if verb in ("done", "drop"):
            step = self._desk.settle(self._viewer, _number(rest), done=verb == "done", dropped=verb == "drop")
            return Text(f"{'Done' if verb == 'done' else 'Dropped'}: {screen.step_line(step)}")
        return screen.ledger(self._desk.next_steps(self._viewer, line, everyone=not line))

    def _handoff(self, line: str) -> Text:
        if line.startswith("undo "):
            handoff = self._desk.undo_hand_off(self._viewer, _number(line.removeprefix("undo ")))
            return Text(f"Taken back: it is {handoff.from_rep or 'nobody'}'s again.")
        who, to, rep = line.rpartition(" to ")
        if not to:
            raise BadInput(HANDOFF_USAGE)
        return screen.pack(self._desk.hand_off(self._viewer, who.strip(), rep.strip()))


def _number(text: str) -> int:
    bare = text.strip().lstrip("#")
    if not bare.isdigit() or len(bare) > 12:
        raise BadInput("Say the number in front of it, for example: /next done 3")
    return int(bare)
