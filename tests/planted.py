"""Sessions with phones and words that a masked output must not have, and a search for them."""

import json
import re
from urllib.parse import unquote

import redis

PHONE, PLAIN, STUCK, BROKEN = "+5491155501234", "5491155501235", "+5491155501236", "+5491155501237"
OTHER, NOBODY = "wh:session:+5491155501238", "+5491155501299"
WORDS = (
    *("firulais", "lucrecia", "pepita", "quimera", "zanahoria", "madrina", "tobiano"),
    *("inventada", "estafador", "señorita"),
)
"""Words of all that is stored."""

# Nine digits that every phone has, together or in groups; not those of a time.
_PHONE = re.compile("[ ()-]{0,3}".join("911555012"))

STORED = {
    PHONE: {
        "status": "active",
        "messages": [
            {"role": "user", "content": "Hola, soy la señorita Lucrecia, turno para Firulais"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Hola Lucrecia, ¿es el +54 9 11 5550-1234?"},
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "register_user",
                        "input": {"name": "Lucrecia", "telefono": 5491155501234, "Quimera": "x"},
                    },
                    {"type": "inventada", "name": "Tobiano", "Pepita": ["Zanahoria"]},
                ],
            },
            {
                "role": "user",
                "content": '__TOOL_RESULTS__[{"type":"tool_result","tool_use_id":"toolu_1",'
                '"content":"{\\"ok\\":true,\\"user\\":\\"Lucrecia +5491155501234\\"}"}]',
            },
            {"role": "assistant", "content": [{"type": "text", "text": "Listo, Firulais anotado"}]},
        ],
        "updatedAt": 1704067200000,
        "alias": "Pepita",
    },
    PLAIN: {
        "status": "firulais",
        "messages": [{"role": "Madrina", "content": "Zanahoria"}],
        "updatedAt": 1704067200000,
    },
    STUCK: {
        "status": "El estafador",
        "messages": [
            {"role": "user", "content": "Firulais come"},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "t2", "name": "tobiano", "input": {"a": "Pepita"}}
                ],
            },
            {"role": "user", "content": "¿Y Zanahoria?"},
        ],
        "updatedAt": 1704067200000,
    },
}

# A phone as people, programs and URLs write it, and words.
SPELLINGS = (
    *("+5491155501234", "5491155501234", "+54 9 11 5550-1234", "54 911 5550 1234"),
    *("(54911) 5550-1234", "whatsapp:+5491155501234", "%2B5491155501234"),
    *("whatsapp%3A%2B5491155501234", r"\u002b5491155501234", "temp_image:5491155501234:1700"),
    *("wh:session:+5491155501234", "wh:session:lucrecia", "/+5491155501234/", "a=5491155501234"),
    *("redis://5491155501234:6379", "Firulais", "la señorita", '"Firulais"', "set firulais"),
)


def found_in(data: bytes | str) -> set[str]:
    """Return the phones and words that are in a text, also if it escapes them."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    unescaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    texts = [text, unescaped, unquote(text), unquote(unquote(text))]
    found = {word for each in texts for word in WORDS if word in each.casefold()}
    found |= {word for word in WORDS if word.encode().hex() in text}
    return found | {match[0] for each in texts for match in _PHONE.finditer(each)}


def plant(client: "redis.Redis") -> None:
    """Store the sessions, one that is broken, one of another type, a picture and a seen mark."""
    for phone, value in STORED.items():
        client.set(f"wh:session:{phone}", json.dumps(value, ensure_ascii=False), ex=9_999)
    client.set(f"wh:session:{BROKEN}", b'{"status":"Zanahoria", Firulais', ex=9_999)
    client.set("wh:session:lucrecia", '{"status":"active","messages":[],"updatedAt":1}')
    client.rpush(OTHER, "Firulais")
    client.set(f"temp_image:whatsapp:{PHONE}:1700", '{"filename":"Firulais.jpg"}', ex=500)
    client.set("wh:seen:lucrecia", "1", ex=999)
