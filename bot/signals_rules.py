"""Reads a note by ordered rules, sentence by sentence, with a guard against negation. Needs no model and no key.

Precision comes first: a signal that is not there moves a score that people act on. Figures are in the tests, over
sentences that were set aside before the rules were tuned.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.dues import find_due
from bot.signals import Reading, Sighting
from storage import Kind, Side, Topic

VERSION = "rules/3"

SENTENCE_LIMIT = 600
_SPLIT = re.compile(r"\n+|(?<=[.!?;])\s+(?=[\"'(A-Za-z0-9•-])|(?<=\s)[•·]\s+")
_ABBREVIATED = re.compile(r"\b(?:mr|mrs|ms|dr|inc|ltd|co|corp|vs|e\.g|i\.e|approx|no|dept|est)\.$", re.I)


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I)


TOPICS: tuple[tuple[Topic, re.Pattern[str]], ...] = tuple(
    (topic, _words(rf"\b(?:{words})"))
    for topic, words in (
        (Topic.MIGRATION, r"migrat|data move|moving (?:the|their|our) data|data transfer|legacy data|import(?:ing)? (?:of )?(?:old|their)|"
         r"(?:mov|carry|bring)ing .{0,40}\b(?:history|records|data|files|archive)\b|lost \d+ records|switching over"),
        (Topic.ONBOARDING, r"onboard|implementation|roll-?out|rolled out|go-?live|ramp|training|trained|set-?up\b(?! fee)|adoption|teaching|actually use|logged in|one more screen|learn a new"),
        (Topic.SECURITY, r"securit|soc ?2|iso ?27001|pen[- ]?test|gdpr|privacy|encrypt|sso\b|data residency|compliance|hosted|hosting|works council|subprocessor|"
         r"outside (?:of )?the (?:eu|uk|us|country)|who can (?:see|read|look)|personal data|stores? (?:\w+ ){0,3}(?:data|locations?)"),
        (Topic.LEGAL, r"legal|contract(?!ors?\b)|redline|msa\b|dpa\b|baa\b|terms|liabilit|clause|procurement|lawyer|counsel|in the eyes of the law"),
        (Topic.INTEGRATION, r"integrat|\bapi\b(?! reliab)|connector|salesforce sync|webhook|sap\b|erp\b"),
        (Topic.RELIABILITY, r"reliab|uptime|outage|downtime|latency|sla\b|performance|stabilit|api reliab"),
        (Topic.PRICING, r"pric|cost|expensive|discount|quote|quarterly billing|annual billing|billing|cheaper|fees?\b|per[- ](?:seat|head|user|vehicle|provider|room)|net \d\d\b|prepay|invoices? (?:quarterly|monthly)"),
        (Topic.BUDGET, r"budget|funding|spend|money|fiscal|finance\b|capital plan"),
        (Topic.SUPPORT, r"support|response times|help ?desk|csm\b|account manager"),
        (Topic.TIMING, r"timing|timeline|deadline|too (?:slow|long|soon)|bandwidth|busy|speed"),
        (Topic.AUTHORITY, r"sign-?off|decision[- ]maker|approval|board|cfo\b|ceo\b|buy-?in"),
    )
)  # fmt: skip
_RELIABLE_API = re.compile(
    r"\bapi\b.{0,20}(?:reliab|uptime|stab|outage|down)|(?:reliab|uptime|outage).{0,20}\bapi\b", re.I
)

_NOT = re.compile(
    r"\b(?:no|not|never|without|isn't|wasn't|aren't|weren't|don't|doesn't|didn't|hasn't|haven't|won't|can't|cannot|"
    r"nobody|none|neither|no longer)\b",
    re.I,
)
_OTHER_SENSE = re.compile(
    r"\b(?:pilot light|co-?pilot|airline pilot|security guard|priced out|bird migration|migration of (?:the )?birds|"
    r"champions? league|muscle|as far as \w+(?:'s|'re| is| are) concerned|contract(?:ed|ing) (?:covid|flu)|board game|on board\b(?! with))",
    re.I,
)
_WORRY = (
    r"\b(?:concern(?:s|ed)?|worr(?:y|ies|ied)|nervous|anxious|hesita\w+|push(?:ed|ing|es)? back|objects?|objected|objections?|"
    r"too (?:expensive|pricey|high|slow|long|complex|risky|much)|(?:pain|sticking) points?|blockers?|blocked by|deal-?breaker|"
    r"(?:not|isn't|wasn't) (?:sure|convinced|comfortable|happy|sold)|unsure|doubts?|doubtful|skeptical|sceptical|afraid|fears?|"
    r"(?:big|main|only) (?:issue|problem|risk)|struggl\w+|hung up on|balked|baulked|uneasy|wary|reluctant|unhappy|complain\w*|"
    r"wants? (?:quarterly|monthly|a (?:lower|better|steeper) |a discount|lower|cheaper)|can't (?:justify|afford)|raised (?:an? )?issues?|"
    r"gets? cold feet|cold feet|red flag|steep|over(?:priced| budget)|asked for (?:a |more |bigger )?discount|"
    r"dread(?:s|ed|ing)?|scare[sd]?|not impressed|unimpressed|lukewarm|cool (?:on|about|towards)|no[- ]gos?\b(?!-)|fed up with us|grumbl\w+|"
    r"sees? no (?:point|value|reason|need)|(?:above|more than|north of|over) what (?:she|he|they|i) (?:had in (?:mind|my head)|expected|budgeted|planned)|"
    r"(?:can't|cannot|won't|couldn't) (?:swallow|stomach|accept|live with|make it work|get it past|bend on|back (?:it|this|anything))|"
    r"(?:kept|keeps) (?:asking (?:whether|if|how|why)|coming back to)|(?:won't|will not|wouldn't) (?:let|allow)|(?:will|may|might|could) (?:block|veto) (?:it|this|that|us|any)|go(?:es)? nuts|too (?:steep|dear|rigid|hard|difficult)|"
    r"(?:doesn't|does not|don't|do not|didn't|did not|won't|wouldn't) (?:want (?:anything|any|us|our|to (?:pay|sign|move|switch|commit|touch))|trust|like (?:our|the|that|how))|"
    r"(?:is|was|got|grew) (?:annoyed|angry|frustrated|irritated|upset|cross|picky)(?: about| with| that| at)? (?:our|us|we|the (?:price|quote|terms|delay|bug|product|app)|who)|"
    r"struck out|nothing (?:hosted|stored|gets signed)|need(?:s|ed)? it (?:nearer|closer to|under|below) [$€£]?\d|"
    r"burn(?:ed|t) by|(?:doesn't|does not|don't|do not|didn't|can't|cannot) see (?:why|what|how|the (?:point|value|need|benefit))|"
    r"(?:can't|cannot|couldn't) (?:get (?:his|her|their|my) heads? a?round|tell (?:from|what|whether|if))|too (?:many|small|big for|early|fiddly|clunky)|"
    r"(?:won't|will not|wouldn't) (?:use|touch|wear|put up with)|(?:say|says|said) no to|no point in|(?:might|may|does|do|did|would|will) ?n[o']t (?:fit|pass|work|cope|scale|hold up|meet)|"
    r"(?:is|are|was|were) (?:a joke|rubbish|useless|terrible|hopeless|a mess|a nightmare|a pain)|rubbish (?:in|at|on)|moan(?:s|ed|ing)?|"
    r"gets? in the way|wants? (?:proof|evidence|guarantees?)|needs? (?:convincing|persuading)|what if|looks? off|flagged (?:that )?(?:we|our|a|the)|"
    r"half what|less than (?:promised|your|the brochure)|put off by|turned off by|bothers? (?:him|her|them|me)|bugs (?:him|her|them)|"
    r"rather (?:wait|stay|keep|leave) (?:it|until|till|with|as|another)|(?:wants?|need(?:s|ed)?) (?:it )?on[- ]prem|"
    r"(?:asked|wanted to know) (?:if|whether) we (?:could|can) (?:do (?:it|that|this)|go|come down|drop) .{0,25}[$€£]?\d)"
)
_SETTLED = (
    r"\b(?:resolved|sorted|settled|addressed|cleared(?: up)?|solved|fixed|no longer (?:a |an )?(?:concern|worry|issue|problem|blocker)|"
    r"(?:is|are|was|were|they're|she's|he's) (?:now )?(?:fine|ok|okay|happy|comfortable|good|satisfied|relaxed) (?:with|about|on)|"
    r"signed off (?:on )?(?:our|the (?:questionnaire|review|assessment|security|annex|wording|draft|terms|contract))|passed (?:the |their )?(?:security|legal|review)|put (?:her|him|them) at ease|off the table|"
    r"not (?:a |an |the )?(?:issue|concern|problem) any ?more|reassured|got comfortable|convinced (?:her|him|them)|"
    r"(?:that|this|which) (?:unblocks|closes|settles|answers) (?:it|me|us|that|her|him|them)|ticked (?:that|it|this) off|ticket closed|"
    r"(?:she|he|they|i) can live with (?:it|that)|(?:is|was|left|says (?:she|he) is|says they are) (?:content|satisfied)|considers? it (?:done|closed)|"
    r"no more open (?:points|questions)|closed the (?:file|point)|no longer (?:a |an )?(?:topic|thing|bothered|worried|concerned)|"
    r"(?:worry|worries|concern|doubts?|fears?|problem|issue|fuss|complaint)(?: \w+){0,4} (?:went away|(?:has|have|is|are|was) (?:gone|behind us|done with|dealt with|over|closed))|"
    r"(?:is|are|was|were|now|been) (?:behind us|done with|dealt with|put to bed|water under the bridge)|dealt with|done with|not a single (?:blip|complaint|problem|issue)|"
    r"(?:at least |now |finally )(?:is )?closed|answered to (?:his|her|their)|came (?:a)?round|won (?:him|her|them) over|(?:has|have) dropped (?:the|that|his|her|their) (?:point|worry|objection|demand|concern)|"
    r"happy now|all good now|(?:that|which) (?:did|does) it for (?:him|her|them)|stopped (?:worrying|asking|complaining))"
)
_RIVAL_NAME = r"(?:[A-Z][A-Za-z0-9&.-]+(?: [A-Z][A-Za-z0-9&.-]+)?)"
_US = r"(?:^|\b)(?:i|we)(?:'ll| will| shall|'m going to| am going to|'re going to| are going to)"
_DO = r"(?:send|share|get|give|prepare|draft|write|set|book|schedule|arrange|intro|introduce|check|confirm|follow|come|revert|take|pick|name|raise|float|present|speak|mail|ship|call|email|provide|put|build|show|ask|talk|loop|forward|review|sign|return|let|bring|find|look|test|run|ping|circle|update|make|deliver|connect|loan|lend|rewrite|come back|see|dig|host|visit|pop|print|translate|fix|meet)"
_SENT = r"(?:sent|emailed|forwarded|shared|delivered|mailed|shipped|handed over|provided)"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what it means. `guard` refuses a sentence with a negation before the match; `cased` minds capitals."""

    kind: Kind
    pattern: re.Pattern[str]
    party: Side | None = None
    topic: Topic | None = None
    guard: bool = True


def _rule(
    kind: Kind, *patterns: str, party: Side | None = None, topic: Topic | None = None, guard: bool = True,
    cased: bool = False,
) -> Rule:  # fmt: skip
    return Rule(kind, re.compile("|".join(patterns), 0 if cased else re.I), party, topic, guard)


RULES: tuple[Rule, ...] = (
    _rule(
        Kind.NO_RESPONSE,
        r"\bno (?:reply|response|answer|word|news)\b", r"\b(?:went|gone|going|been) (?:quiet|dark|silent)\b", r"\bghost(?:ed|ing)\b",
        r"\b(?:hasn't|haven't|didn't|did not|has not) (?:replied|responded|answered|got(?:ten)? back|called back)\b",
        r"\bleft (?:a |another )?(?:voicemail|vm|message)\b", r"\bradio silence\b", r"\bunanswered\b", r"\bstill (?:nothing|waiting|no \w+(?: \w+)?) from\b",
        r"\b(?:not|n't) heard (?:back|anything|a word)\b", r"\bnothing back\b", r"\bno reaction\b(?! to)", guard=False,
    ),
    _rule(
        Kind.PAUSE_AGREED,
        r"\b(?:call|ping|contact|reach out to|try|email) (?:me|us|her|him|them)(?: back| again)? (?:after|in|on|from|next|once)\b",
        r"\b(?:come|check|circle) back (?:in|after|on|next|once)\b",
        r"\b(?:pick|picking) (?:this|it|things) (?:back )?up (?:again )?(?:in|after|on|next|once)\b",
        r"\b(?:pause|paused|on hold|hold off|parked?) (?:this |it |everything )?until\b", r"\breconnect (?:in|after|on|next)\b",
        r"\bring (?:me |us |her |him |them )?back\b", r"\bpostponed (?:us|it|this) (?:to|until|till)\b", r"\bno ?(?:one|body) (?:will|can) look at .{0,40}\b(?:before|until|till)\b",
    ),
    _rule(Kind.COMPETITOR_RESOLVED,
        r"\b(?:dropped|ruled out|rejected|eliminated|passed on|decided against|moved away from|no longer (?:considering|looking at|talking to))\b.{0,40}",
        r"\b(?:chose|picked|prefer(?:s|red)?|going with) us (?:over|instead)\b", r"\bcompetitor\b.{0,30}\b(?:is|are) out\b", guard=False,
    ),
    _rule(Kind.COMPETITOR,
        r"\bcompetit(?:or|ors|ive|ion)\b", r"\b(?:also|currently|still) (?:talking to|evaluating|looking at|demoing|trialling|considering|in talks with)\b",
        r"\bcompar(?:ing|ed|es?) us (?:with|to|against)\b", r"\b(?:rival|alternative vendor|other vendors?|another vendor)\b",
        r"\b(?:up against|versus|vs\.?) (?-i:[A-Z])", r"\bshortlist(?:ed)?\b.{0,30}\b(?:vendor|with)\b",
    ),
    _rule(Kind.COMPETITOR, rf"\b(?:evaluating|considering|demoing|looking at|looked at|talking to|(?:quote|proposal|bid|offer|demo|pitch) from|quoted by|pitched by|compares? us (?:with|to)) {_RIVAL_NAME}",
        rf"\b{_RIVAL_NAME} (?:quoted|is cheaper|undercut|came in (?:lower|cheaper)|(?:had|has) been in\b|pitched to|(?:were|was) in (?:last|this|on|yesterday)|(?:has|have) (?:also )?quoted|rep (?:has been|had been|called|keeps))",
        rf"\b(?:have|has|had|got) (?:also |already )?(?:had )?(?:a |an )?{_RIVAL_NAME} (?:quote|proposal|offer|bid)\b",
        rf"\b(?:swears by|prefers|leans? towards|is a) {_RIVAL_NAME}(?: man| person| shop)?\b(?<=[a-z]) (?:and pushes|over us|man|shop|to us)",
        rf"\b(?:[Ii]ncumbent(?: is|:)|[Cc]urrently (?:on|with|using|use)|[Nn]ow on (?:a |an )?|[Tt]rial(?:l)?ing|[Ww]eighing up|[Tt]ied (?:up |in )?(?:with|w/|to)|[Ii]n bed with|[Ss]tay(?:ing|s)? (?:with|w/|on)|[Ll]ocked in(?:to| with| w/)|"
        rf"[Uu]s(?:es|ing|e)|[Bb]uys? (?:\w+ )?(?:from|off)|[Gg]ets? (?:\w+ )?from|[Ss]witch(?:ed|ing)? to|[Mm]oved to|[Hh]as been with|[Uu]nder contract (?:with|to)|[Cc]ontract with|[Rr]enew(?:ing|ed)? with) {_RIVAL_NAME}(?<!Word)(?<!Excel)(?<!I)\b",
        rf"^On {_RIVAL_NAME} (?:rn|now|today|until|since|till|for)\b", rf"\b{_RIVAL_NAME} (?:is|are|was|were|came in|comes in) (?:\d+ ?% |a bit |slightly |much |way )?cheaper\b", rf"\b{_RIVAL_NAME} (?:today|at the moment|currently|already)$",
        rf"\b(?:us|we), {_RIVAL_NAME}(?:,| and| &)", cased=True),
    _rule(Kind.COMPETITOR, r"\b(?:their|our) (?:incumbent|current (?:vendor|supplier|provider))\b", r"\balso (?:got|has|have|had) (?:a |an )?(?:proposal|quote|offer|bid)\b",
        r"\b(?:cheaper|rival|competing|counter) (?:bid|offer|quote|proposal)\b"),
    _rule(Kind.BUDGET_BLOCKED,
        r"\b(?:needs?|needed|waiting (?:for|on)|pending) (?:\w+ ){0,4}(?:to (?:release|approve|sign off|free)|tax credit|grant|board approval)\b(?=.{0,40}(?:funds?|money|spend|budget|penny|cash))", r"\b(?:knocked|cut) (?:it |us |the \w+ )?(?:back|down) (?:to|from) [$€£]?\d", r"\bbefore (?:he|she|they) can spend\b",
        r"\bbudgets? (?:\w+ ){0,3}(?:frozen|freeze|on hold|blocked|cut|gone|tight|exhausted|spent)\b", r"\b(?:freeze on|froze|frozen) (?:\w+ ){0,3}(?:budget|spend|spending)\b",
        r"\b(?:no|without) (?:\w+ ){0,2}(?:budget|funding|money)\b(?! (?:concern|issue|problem|worr))", r"\b(?:spending|hiring and spending|budget) freeze\b",
        r"\bbudget (?:isn't|is not|not) (?:\w+ )?(?:approved|there|available|confirmed)\b",
        r"\b(?:everything|all (?:\w+ )?spend(?:ing)?) (?:is |was )?(?:frozen|parked|on ice|stopped)\b", r"\b(?:capex|opex|budget)(?: \d{4})? (?:is|was) (?:gone|used up|empty)\b", r"\bput .{0,30}\bon ice\b", r"\bno spend(?:ing)? (?:above|over|beyond|before|until|till)\b", r"\bspend(?:ing)? (?:\w+ )?(?:locked|frozen|capped|stopped) (?:till|until)\b",
        r"\b(?:hold|freeze|stop) on (?:\w+ ){0,4}(?:outlays|spend|spending|purchases|investments?)\b", topic=Topic.BUDGET, guard=False,
    ),
    _rule(Kind.BUDGET_CONFIRMED,
        r"\bbudget (?:\w+ ){0,3}(?:approved|confirmed|signed off|secured|allocated|in place|unlocked|available)\b",
        r"\b(?:approved|confirmed|secured|signed off(?: on)?|unlocked|got) (?:the |a |their |her |his )?(?:budget|funding)\b",
        r"\b(?:have|has|got) (?:the )?budget\b", r"\b(?:money|funds|funding) (?:is |was |has been |now )?(?:released|approved|freed|there|secured)\b",
        r"\b(?:ok|okay|fine) with (?:the )?spending\b", r"\b\d+k? (?:is |was |are )?(?:earmarked|pencilled in|set aside|reserved|ring-?fenced)\b", r"\bpurse opens\b",
        r"\b(?:ceiling|cap|limit|max|budget|pot|allowance) (?:is|of|for \w+ is|for \w+|=|:)\s?(?:about |abt |around |~)?[$€£]?\d", r"\b(?:has|have|got|'s|he's|she's|they've) (?:got )?(?:about |abt |around |up to |some |roughly )?[$€£]?\d[\d.,]*k? (?:\w+ ){0,3}(?:to play with|to spend|set aside|put aside|put by|left|in the (?:pot|budget|plan)|signed off|approved|for this)\b",
        r"\b(?:approved|signed off|released|agreed|ok'd|okayed|allowed|granted) (?:\w+ ){0,3}(?:up to |at |for )?[$€£]?\d", r"\bagreed (?:on )?[$€£]?\d", r"\b(?:price|quote|offer|rate|uplift|increase|total|order) (?:is |was |of [$€£]?\d\S* )?(?:ok'd|okayed|accepted|approved|agreed)\b",
        r"\b(?:uplift|increase|rate|price) accepted\b", r"\bshook (?:hands )?on [$€£]?\d", r"\b(?:under|below|within|up to|no more than) [$€£]?(?:\d[\d.,]*k?|two grand|\w+ grand|\w+ thousand)\b.{0,30}\b(?:i'll|he'll|she'll|they'll|can|could|is fine|works)\b",
        r"\b(?:pots?|budgets?) of (?:money|[$€£]?\d)", r"\bsigned off\b.{0,40}[$€£]\d", r"[$€£]\d[\d.,]*[km]?\b.{0,25}\b(?:set aside|earmarked|ring-?fenced|put aside)\b", topic=Topic.BUDGET,
    ),
    _rule(Kind.PILOT_AGREED, r"\bagreed to (?:try|test) (?:it|this|us)\b", r"\b(?:we|they) (?:will )?test (?:it )?(?:at|in) [A-Z]", r"\b(?:depot|hub|ward|site|branch|line|store)s? (?:chosen|picked)\b",
        r"\b(?:agreed|agrees|said yes|signed|green[- ]?light\w*|approved|confirmed|go-?ahead|signed off) (?:to |for |on )?(?:\w+ ){0,3}(?:pilot|trial|poc|proof of concept)\b",
        r"\b(?:pilot|trial|poc|proof of concept)\b (?:\w+ ){0,2}(?:agreed|approved|confirmed|signed|kicks? off|kicked off|starts?|started|begins?|is on|is a go|booked|live|running)\b",
        r"\b(?:start|started|starting|kick(?:ed|ing)? off|running|launched) (?:the |a |our |their )?(?:\S+ ){0,2}(?:pilot|trial|poc)\b",
    ),
    _rule(Kind.PILOT_REQUESTED,
        r"\b(?:ask(?:ed|s|ing)?|request(?:ed|s|ing)?|want(?:ed|s)?|would (?:like|love)|interested in|keen on|open to|asks? about) (?:\w+ ){0,4}(?:pilot|trial|poc|proof of concept)\b",
        r"\b(?:pilot|trial) (?:was )?(?:requested|asked for)\b", r"\b(?:wants?|would like|'d like) (?:to (?:try|test) (?:it|this|us)|a try-?out)\b",
    ),
    _rule(Kind.VERBAL_COMMITMENT, r"\bgave (?:us |me )?(?:a |their |his |her )?verbal yes\b", r"\bsaid yes in principle\b",
        r"\bverbal (?:yes|ok|okay|commitment|agreement|go-?ahead)\b", r"\b(?:she|he|they|\w+) (?:said|says|confirmed) (?:they|she|he|we)(?:'ll| will|'re going to| are going to) (?:sign|buy|go ahead|move forward|go with us)\b",
        r"\bhandshake deal\b", r"\bready to sign\b", r"\bverbally (?:agreed|committed|confirmed)\b", r"\bwe're their choice\b",
    ),
    _rule(Kind.OBJECTION_RESOLVED, _SETTLED, guard=False),
    _rule(Kind.OBJECTION, _WORRY),
    _rule(Kind.COMMITMENT_DONE, rf"^(?:i |we |just |already |have |also |finally |yesterday |today )*{_SENT}\b(?! us\b| me\b)", rf"\b(?:i|we)(?:'ve| have)? (?:just |already |finally )?{_SENT}\b",
        r"\b(?:report|proposal|quote|contract|deck|docs?|paper|summary|draft|form|certificate|statement|sandbox|build|figures|sheet|recording|documents?|slides|samples?|offer|invoice|guide) (?:was |were |has been |finally |already )?(?:sent|shared|delivered|returned|mailed|went (?:over|out|to)|reached|(?:is )?out to|is with)\b",
        r"^(?:returned|wrote (?:back )?to|got back to|passed (?:that|it|this) on|dropped off|handed over)\b", party=Side.OURS),
    _rule(Kind.TOLD, r"^(?:i |we |just |also |then )*(?:showed|demoed|demo'd|presented|pitched|explained|walked (?:her|him|them|\w+)? ?through|answered|told|offered(?! (?:me|us)\b)|confirmed to|quoted|gave (?:her|him|them) (?:a |an |the |our )?(?:price|quote|tour|demo|overview|\d))\b",
        r"\b(?:i|we) (?:just |also |then )?(?:confirmed|offered|showed|demoed|presented|pitched|explained|walked|answered|told)\b", party=Side.OURS),
    _rule(Kind.COMMITMENT_BY_US, rf"{_US} (?:also |then |just )?{_DO}\b", r"\b(?:i|we) (?:promised|owe|agreed to|committed to)\b", r"\b(?:i|we) (?:need|have) to (?:send|share|get|provide|prepare|draft)\b",
        rf"\b(?:said|told \w+|promised|agreed|offered)(?: that)? (?:i|we)(?:'d| would|'ll| will) (?:also |then )?{_DO}\b", r"^(?:i |we )?told \w+ (?:she|he|they) (?:gets?|has|have) .{3,60}\b(?:by|before|on|next|end of)\b", r"^(?:i |we )?promised (?:it|\w+ the|\w+ a|\w+ our)\b",
        rf"^(?:will|gonna|going to|i'm to|i am to|we're to|i'm gonna|me to) (?:also |then |now )?{_DO}\b", rf"\b(?:i|we) (?:offered|said|agreed|undertook) to {_DO}\b",
        r"\b(?:i'm|i am|we're|we are) (?:sending|emailing|mailing|preparing|drafting|rewriting|bringing|shipping|getting|putting|checking|writing|cutting|taking)\b",
        r"^(?:sending|emailing|mailing|preparing|drafting|rewriting|bringing|shipping|cutting|checking|taking|putting together|writing up) (?!us\b|me\b)",
        r"\b(?:told|replied to|said to|promised|replied) (?:\w+ )?(?:that )?(?:she|he|they|i|we)(?:'d| would|'ll| will) (?:have|get|hear|see)\b",
        r"^(?:need to|must|have to|will|sending|promised (?:to|her|him|them)|gonna) (?:over )?(?:send|share|get|give|provide|prepare|draft|follow up|over|her|him|them|a|the)\b", r"\bowe (?:her|him|them)\b",
        party=Side.OURS),
    _rule(Kind.COMMITMENT_BY_THEM, rf"\b(?:she|he|they|[a-z]+)(?:'ll| will| agreed to| promised to| offered to| committed to| is going to| are going to) {_DO}\b",
        rf"\b(?-i:[A-Z][a-z]+) (?:to|will|is to|is going to|'s going to|'s to|promised to|offered to) (?:also |then |try (?:again )?)?{_DO}\b",
        r"\b(?-i:[A-Z][a-z]+) (?:to|will|'ll|is going to|'s going to) (?:chase|circulate|nudge|push|raise|try|sound out|speak|place|push|get back|think|decide|ring|report)\b",
        r"\b(?-i:[A-Z][a-z]+) (?:promised|owes) (?:me |us )?(?:the|a|an|his|her|their)\b", r"\b(?:po|order|signature|signed \w+|contract|form|nda|answer|decision|feedback) (?:to follow|expected|coming|due) (?:from|by|on|this|next)\b",
        r"\b(?:sends?|gives?) (?:me|us) .{3,60}\b(?:by|before|until|on|next|this)\b", party=Side.THEIRS),
    _rule(Kind.NEXT_STEP, r"^(?:next steps?|next|action items?|todo|to do|follow[- ]up)\s*[:-]", r"\bnext step (?:is|will be)\b",
        r"\b(?:follow-?up|next|another|second|demo|review|kick-?off|check-?in|intro)(?: \w+)? (?:call|meeting|session|demo|workshop)?\s*(?:is |was )?(?:booked|scheduled|planned|set|agreed|on the calendar)\b",
        r"\b(?:booked|scheduled|set up|arranged|agreed on) (?:a|an|the|another|our) (?:\w+ ){0,3}(?:call|meeting|demo|session|workshop|review)\b",
        r"\b(?:call|meeting|demo|session|workshop|review|qbr|visit|kick-?off|walkthrough|presentations?|steering(?: group)?|steerco|check-?in|lunch|site visit|training|engagement day) "
        r"(?:(?:on|next|this|is on|set for|booked for|planned for|at|in|for) )?(?:the )?(?:mon|tues?|wed(?:s|nes)?|thu(?:rs?)?|fri|sat|sun|\d|next|week|tomorrow|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:day|uary|ruary|ch|il|ust|ember|ober)?\b",
        r"^(?:speak|speaking|talk|ring|call|catch up|catching up|touch base|meet|meeting|see|seeing|popping (?:back|in|by)|back there|demo|visit)(?: \w+){0,3} (?:again )?(?:on |in |at |the )*(?:mon|tue|wed|thu|fri|sat|sun|tomorrow|tmrw|next|\d|1st|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|the day after|week)\w*",
        r"\b(?:getting|get) (?:both|them|everyone|all \w+) in (?:a|one|the same) room\b", party=Side.OURS),
    _rule(Kind.POSITIVE_REACTION, r"\b(?:loved?|loves|liked|likes|really (?:happy|keen|excited|impressed)|impressed|excited|enthusiastic|thrilled|delighted|very positive|positive about)\b",
        r"\b(?:great|fantastic|excellent|super) (?:call|meeting|demo|feedback|reaction)\b", r"\bblown away\b", r"\bover the moon\b", r"\bface lit up\b", r"\b(?:very|quite|really) (?:pleased|happy)\b", r"\bwent (?:really |very )?well\b"),
    _rule(Kind.AUTHORITY, r"\b(?:signs?|approves?|decides?|order) (?:up to|anything (?:above|over|beyond|under)|direct|personally)\b", r"\b(?:anything|everything) (?:over|above|beyond|under) [$€£]?\d+k?\b",
        r"\bneeds? (?:the )?(?:\w+ ){1,4}to (?:approve|sign off|agree)\b", r"\b(?:has|have|must|needs?) to (?:go|pass) (?:to|through|via) (?:the |their )?(?:\w+ )?(?:board|committee|council|group|parent|owner|procurement)\b",
        r"\bdecision[- ]maker\b", r"\b(?:cfo|ceo|cto|coo|board|procurement|legal|\w+) (?:decides|has the final say|makes the (?:call|decision)|needs to (?:sign off|approve))\b",
        r"\bneeds? (?:sign-?off|approval|buy-?in) from\b", r"\bneeds? (?:\w+ )?(?:cfo|ceo|board|legal)(?:'s)? (?:sign-?off|approval)\b", topic=Topic.AUTHORITY),
)  # fmt: skip

_EXCLUDES: dict[Kind, frozenset[Kind]] = {
    Kind.OBJECTION: frozenset(
        {Kind.OBJECTION_RESOLVED, Kind.BUDGET_BLOCKED, Kind.COMPETITOR, Kind.NO_RESPONSE, Kind.COMPETITOR_RESOLVED}
    ),
    Kind.COMPETITOR: frozenset({Kind.COMPETITOR_RESOLVED}),
    Kind.BUDGET_CONFIRMED: frozenset({Kind.BUDGET_BLOCKED}),
    Kind.PILOT_REQUESTED: frozenset({Kind.PILOT_AGREED}),
    Kind.COMMITMENT_BY_THEM: frozenset(
        {Kind.COMMITMENT_BY_US, Kind.PAUSE_AGREED, Kind.VERBAL_COMMITMENT, Kind.OBJECTION}
    ),
    Kind.COMMITMENT_BY_US: frozenset({Kind.PAUSE_AGREED}),
    Kind.NEXT_STEP: frozenset({Kind.COMMITMENT_BY_US, Kind.COMMITMENT_BY_THEM, Kind.PAUSE_AGREED}),
    Kind.TOLD: frozenset({Kind.COMMITMENT_DONE}),
    Kind.AUTHORITY: frozenset({Kind.OBJECTION}),
}
"""Kinds that do not stand beside another in one clause: the more telling one is kept."""

_NEVER_DUE = frozenset({Kind.BUDGET_CONFIRMED, Kind.OBJECTION_RESOLVED})
"""What has happened: a day beside it is when, not until when."""

_CLAUSE = re.compile(r",\s{1,9}(?:but|and|though|although|so)\s|(?<=\s)(?:but|though|although|however)\s|;\s*", re.I)


def read_by_rules(text: str) -> Reading:
    """What a note says, by rules. Never raises; every quote is verbatim."""
    return Reading(tuple(_read(text)), VERSION)


def _read(text: str) -> Iterator[Sighting]:
    for sentence in _sentences(text):
        for clause in _clauses(sentence):
            yield from _in_clause(clause, sentence)


def _sentences(text: str) -> Iterator[str]:
    held = ""
    for part in _SPLIT.split(text):
        joined = f"{held} {part}".strip() if held and f"{held} {part}" in text else part.strip()
        held = joined if _ABBREVIATED.search(joined) and len(joined) < SENTENCE_LIMIT else ""
        if joined and not held:
            yield from (joined[i : i + SENTENCE_LIMIT] for i in range(0, len(joined), SENTENCE_LIMIT))
    if held:
        yield held


def _clauses(sentence: str) -> list[str]:
    return [part.strip() for part in _CLAUSE.split(sentence) if part and len(part.strip()) > 3]


def _in_clause(clause: str, sentence: str) -> Iterator[Sighting]:
    plain = clause.replace("’", "'")
    if _OTHER_SENSE.search(plain):
        return
    found: dict[Kind, Rule] = {}
    for rule in RULES:
        match = rule.pattern.search(plain)
        if match and rule.kind not in found and not (rule.guard and _negated(plain, match)):
            found[rule.kind] = rule
    for kind, rule in found.items():
        if not _EXCLUDES.get(kind, frozenset()) & found.keys():
            yield _sighting(clause, sentence, rule)


def _negated(clause: str, match: re.Match[str]) -> bool:
    before = clause[max(0, match.start() - 40) : match.start()]
    return bool(_NOT.search(before)) or bool(re.match(r"\W+(?:is|was|are)(?: not|n't)\b", clause[match.end() :]))


def _sighting(clause: str, sentence: str, rule: Rule) -> Sighting:
    quote = clause.rstrip(" .;,")
    topic = rule.topic or topic_of(clause) or topic_of(sentence) or Topic.OTHER
    due = "" if rule.kind in _NEVER_DUE else find_due(clause) or _due_of(sentence)
    return Sighting(rule.kind, topic, quote, party=rule.party, due_phrase=due)


def _due_of(sentence: str) -> str:
    # "I'll send the report, and the plan, by Friday": one date for the one promise of a sentence.
    return find_due(sentence) if len(_clauses(sentence)) == 1 else ""


def topic_of(text: str) -> Topic | None:
    """The topic a text speaks of, or None."""
    if _RELIABLE_API.search(text):
        return Topic.RELIABILITY
    return next((topic for topic, pattern in TOPICS if pattern.search(text)), None)
