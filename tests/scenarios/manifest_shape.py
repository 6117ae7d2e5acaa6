"""What Slack takes as a manifest, for the parts used here: names, what must be there, and the longest of each.

The figures are those of Slack's published schema (slackapi/manifest-schema v0.5.0, version 1); every part is closed, so
that a key that Slack does not know is found here and not by the admin who pastes the file.
"""

from typing import Any

Shape = dict[str, Any]


def text(most: int, least: int = 1, pattern: str = "") -> Shape:
    """A string of so many characters."""
    return {"type": "string", "minLength": least, "maxLength": most} | ({"pattern": pattern} if pattern else {})


def closed(required: tuple[str, ...] = (), **properties: Shape) -> Shape:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def several(item: Shape, most: int, least: int = 1) -> Shape:
    """A list of so many."""
    return {"type": "array", "items": item, "minItems": least, "maxItems": most}


FLAG: Shape = {"type": "boolean"}
EVENTS: Shape = several(text(50), 100) | {"uniqueItems": True}
COMMAND = closed(
    ("command", "description"),
    command=text(32, 2, "^/"),
    description=text(2000),
    usage_hint=text(1000),
    should_escape=FLAG,
)
SHORTCUT = closed(
    ("name", "type", "callback_id", "description"),
    name=text(24),
    type={"enum": ["message", "global"]},
    callback_id=text(255),
    description=text(150),
)
AGENT = closed(
    agent_description=text(300),
    suggested_prompts=several(closed(("title", "message"), title=text(150), message=text(1000)), 4),
)
MANIFEST = closed(
    ("display_information", "features", "oauth_config", "settings"),
    display_information=closed(
        ("name",), name=text(35), description=text(140), background_color=text(7, 4, "^#[0-9a-fA-F]{3,6}$")
    ),
    features=closed(
        bot_user=closed(("display_name",), display_name=text(80), always_online=FLAG),
        app_home=closed(home_tab_enabled=FLAG, messages_tab_enabled=FLAG, messages_tab_read_only_enabled=FLAG),
        agent_view=AGENT,
        slash_commands=several(COMMAND, 50),
        shortcuts=several(SHORTCUT, 10),
    ),
    oauth_config=closed(scopes=closed(bot=several(text(50), 255))),
    settings=closed(
        event_subscriptions=closed(bot_events=EVENTS),
        interactivity=closed(("is_enabled",), is_enabled=FLAG),
        org_deploy_enabled=FLAG,
        socket_mode_enabled=FLAG,
        token_rotation_enabled=FLAG,
    ),
)
