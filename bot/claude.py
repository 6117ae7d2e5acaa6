"""The wire to Claude: one question, one checked value, within one deadline; or a sentence that says why not.

The SDK is imported when the first question is asked: a run without a key never loads it.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextvars import copy_context
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.scribe import workspace

if TYPE_CHECKING:
    import httpx2
    from anthropic import Anthropic
    from anthropic.types import Message

log = logging.getLogger("rapport.claude")

ATTEMPTS = 2
PATIENCE_FAILS, REST_SECONDS = 3, 60.0
"""After so many questions in a row without a word from it nobody is kept waiting for it for a while."""
LEAST_LEFT = 4.0
"""Seconds that must be left for another attempt to be worth its while."""

MILLION = Decimal(1_000_000)
PRICES: Mapping[str, tuple[Decimal, Decimal]] = {
    "haiku": (Decimal(1), Decimal(5)),
    "sonnet": (Decimal(3), Decimal(15)),
    "opus": (Decimal(5), Decimal(25)),
}
"""Dollars per million input and output tokens by family: estimates for the budget, not an invoice."""

_PROMPTS = Path(__file__).parent / "prompts"
_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of question: its prompt, the model, how hard it thinks, and the tokens it may use."""

    name: str
    model: str
    effort: str
    max_tokens: int

    @property
    def version(self) -> str:
        """The prompt's version, from its first line."""
        return prompt(self.name)[0]

    @property
    def signature(self) -> str:
        """Prompt and model: what derives carries it, so that a change of either is seen."""
        return f"{self.version}+{self.model}"


@dataclass(frozen=True, slots=True)
class Use:
    """What one call used. `cost` is an estimate in dollars."""

    job: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: Decimal


class Unavailable(Exception):
    """Claude did not give an answer that can be used; the text says why, in words for people."""


class Silent(Unavailable):
    """Not a word came from it in time."""


class Unusable(Unavailable):
    """It answered, but not in a way that can be used: the same question would fare no better."""


@cache
def prompt(name: str) -> tuple[str, str]:
    """A prompt's version and its text."""
    first, _, rest = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("version:").strip(), rest.strip()


class Claude:
    """Asks questions. Thread-safe; at most `at_a_time` run side by side, and none longer than `deadline` seconds."""

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "",
        deadline: float = 25.0,
        at_a_time: int = 4,
        allowed: Callable[[], bool] = lambda: True,
        on_use: Callable[[Use], object] = lambda _use: None,
        http_client: "httpx2.Client | None" = None,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._deadline = deadline
        self._allowed = allowed
        self._on_use = on_use
        self._http_client = http_client
        self._lanes = ThreadPoolExecutor(at_a_time, thread_name_prefix="claude")
        self._client: Anthropic | None = None
        self._closing = Event()
        self._silent = 0
        self._asked_again_at = 0.0

    def ask(self, job: Job, user: str, shape: type[_Answer]) -> _Answer:
        """The answer to a question in the given shape. Raises Unavailable, within the deadline, whatever goes wrong."""
        if not self._allowed():
            raise Unavailable("this month's budget for it is used up")
        if monotonic() < self._asked_again_at:
            raise Unavailable("it has not answered for a while")
        try:
            value = self._ask(job, user, shape)
        except Silent:
            self._silent += 1
            if self._silent >= PATIENCE_FAILS:
                self._asked_again_at = monotonic() + REST_SECONDS
            raise
        except Unavailable:
            self._silent = 0
            raise
        self._silent = 0
        return value

    def _ask(self, job: Job, user: str, shape: type[_Answer]) -> _Answer:
        until = monotonic() + self._deadline
        # The lane works for whoever asks: it takes their context along.
        lane: Future[_Answer] = self._lanes.submit(copy_context().run, self._asked, job, user, shape, until)
        try:
            return lane.result(timeout=self._deadline)
        except TooSlow as error:
            if lane.cancel():
                raise Unavailable("too many questions are waiting for it") from error
            raise Silent("it did not answer in time") from error

    def close(self) -> None:
        """Take no more questions."""
        self._closing.set()
        self._lanes.shutdown(wait=False, cancel_futures=True)

    def _asked(self, job: Job, user: str, shape: type[_Answer], until: float) -> _Answer:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(job, user, shape, until)
            except _Again as again:
                left = until - monotonic()
                if attempt == ATTEMPTS or left - again.wait < LEAST_LEFT:
                    raise (Silent if again.is_silence else Unavailable)(str(again)) from again
                self._closing.wait(again.wait)
        raise Unavailable("it did not answer")

    def _once(self, job: Job, user: str, shape: type[_Answer], until: float) -> _Answer:
        import anthropic

        left = until - monotonic()
        if left <= 0:
            raise Silent("it did not answer in time")
        try:
            message = self._made().messages.create(timeout=left, **request(job, user, shape))
        except anthropic.APITimeoutError as error:
            raise Silent("it did not answer in time") from error
        except anthropic.AnthropicError as error:
            raise _reason(error) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            # A 200 with a broken body surfaces as these, and not as an error of the SDK's.
            raise Unavailable("its answer could not be read") from error
        if not all(getattr(message, part, None) is not None for part in ("content", "usage", "stop_reason")):
            # The SDK does not check what it is sent: the sign-in page of a gateway arrives as a string.
            raise Unavailable("its answer could not be read")
        self._count(job, message)
        return _value(message, shape)

    def _made(self) -> "Anthropic":
        if self._client is None:
            import anthropic

            # At DEBUG these print what is asked, and so the notes.
            for name in ("anthropic", "httpx2", "httpcore2"):
                logging.getLogger(name).setLevel(logging.WARNING)
            # The key is always passed: without it the SDK looks for tokens and profiles on the disk.
            self._client = anthropic.Anthropic(
                api_key=self._api_key,
                base_url=self._base_url or "https://api.anthropic.com",
                max_retries=0,
                http_client=self._http_client or anthropic.DefaultHttpxClient(event_hooks={"response": [_bounded]}),
            )
        return self._client

    def _count(self, job: Job, message: "Message") -> None:
        use = _use_of(job, message)
        told = use.job, workspace.get() or "-", use.input_tokens, use.output_tokens, use.cost
        log.info("%s for %s: %d tokens in, %d out, about $%s", *told)
        try:
            self._on_use(use)
        except Exception:
            # The answer is paid for: that its cost could not be written down must not lose it.
            log.exception("%s: use was not written down", use.job)


def _bounded(response: "httpx2.Response") -> None:
    """Let a body end with its request's time: a timeout of HTTP's is for each piece, and an answer can drip."""
    import httpx2

    until = monotonic() + float(response.request.extensions["timeout"]["read"])

    class Bounded(httpx2.SyncByteStream):
        def __init__(self, pieces: httpx2.SyncByteStream) -> None:
            self._pieces = pieces

        def __iter__(self) -> Iterator[bytes]:
            for piece in self._pieces:
                if monotonic() > until:
                    raise httpx2.ReadTimeout("the answer dripped", request=response.request)
                yield piece

        def close(self) -> None:
            self._pieces.close()

    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = Bounded(response.stream)


class _Again(Exception):
    """Worth another attempt after some seconds."""

    def __init__(self, reason: str, wait: float, *, is_silence: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.is_silence = is_silence


def request(job: Job, user: str, shape: type[BaseModel]) -> dict[str, Any]:
    """The parameters of a call."""
    from anthropic import transform_schema

    text: dict[str, Any] = {"type": "text", "text": prompt(job.name)[1], "cache_control": {"type": "ephemeral"}}
    return {
        "model": job.model,
        "max_tokens": job.max_tokens,
        "system": [text],
        "messages": [{"role": "user", "content": user}],
        "output_config": {
            "effort": job.effort,
            "format": {"type": "json_schema", "schema": transform_schema(shape)},
        },
    }


def _value(message: "Message", shape: type[_Answer]) -> _Answer:
    """What was answered, once it is known to be whole: a refusal and a cut answer come with HTTP 200."""
    ended = {
        "refusal": "it declined to answer",
        "max_tokens": "its answer was cut off",
        "model_context_window_exceeded": "there was too much to read",
    }
    if message.stop_reason in ended:
        raise Unusable(ended[message.stop_reason])
    text = "".join(block.text for block in message.content if block.type == "text")
    try:
        return shape.model_validate_json(text)
    except ValidationError as error:
        raise Unusable("its answer could not be read") from error


def _reason(error: Exception) -> Exception:
    """What an error of the SDK's means to us: worth another attempt, or not, in words for people."""
    import anthropic

    status = getattr(error, "status_code", 0)
    if isinstance(error, anthropic.AuthenticationError | anthropic.PermissionDeniedError):
        return Unavailable("it refused the key: check ANTHROPIC_API_KEY")
    if isinstance(error, anthropic.APIConnectionError):
        return _Again("it could not be reached", 0.5, is_silence=True)
    if status == 429:
        return _Again("it is asked for too much at the moment", _retry_after(error))
    if status in (408, 409) or status >= 500:
        return _Again("it is overloaded at the moment", min(_retry_after(error), 2.0))
    if status == 413:
        return Unusable("there was too much to read")
    return Unavailable("it refused the request" if status else "it failed")


def _retry_after(error: Exception) -> float:
    """Seconds asked for by the response; 1 without a word. Never obeyed beyond the deadline."""
    response = getattr(error, "response", None)
    value = response.headers.get("retry-after", "") if response is not None else ""
    try:
        return max(0.0, float(value))
    except ValueError:
        return 1.0


CHARS_PER_TOKEN = 3.5
ANSWER_TOKENS = 350
"""Tokens of a note's reading, thinking included, and characters of English per token: measured on notes, roughly."""


def price_of(job: Job, calls: int, characters: int) -> Decimal:
    """What that many calls over these characters would cost, in dollars, the prompt read from the cache."""
    per_in, per_out = _price(job.model)
    prompted = Decimal("0.1") * int(len(prompt(job.name)[1]) / CHARS_PER_TOKEN) * calls
    tokens_in = prompted + int(characters / CHARS_PER_TOKEN)
    cost: Decimal = (tokens_in * per_in + ANSWER_TOKENS * calls * per_out) / MILLION
    return cost.quantize(Decimal("0.01"))


def _price(model: str) -> tuple[Decimal, Decimal]:
    return next((price for family, price in PRICES.items() if family in model), PRICES["sonnet"])


def _use_of(job: Job, message: "Message") -> Use:
    used = message.usage
    written, read = used.cache_creation_input_tokens or 0, used.cache_read_input_tokens or 0
    per_in, per_out = _price(job.model)
    # A token written to the cache counts a quarter more, one read from it a tenth.
    weighed = used.input_tokens + Decimal("1.25") * written + Decimal("0.1") * read
    cost = (weighed * per_in + used.output_tokens * per_out) / MILLION
    total = used.input_tokens + written + read
    return Use(job.name, job.model, total, used.output_tokens, cost.quantize(Decimal("0.0001")))
