"""
Endpoints of the sandbox beyond the contract: ledger, faults, reset.
"""

import json

from ._answer import Answer, json_answer, problem
from ._back_office import BackOffice
from ._faults._fault_parser import FaultSyntaxError
from ._sales._receipt_page import receipt_page


WELCOME = """\
Conexxus SDK sandbox: a fake back office for tests and demonstrations.

Nothing here is real; there is no back office behind it.

The contract (send the API key as X-API-Key):
  GET  /api/v1/health
  GET  /api/v1/inventory/items
  POST /api/v1/sales/push
  GET  /api/v1/sales/summary?date=2026-01-02&locationId=loc-001

For tests:
  GET  /sandbox/ledger   the sales that are effective, how often, as JSON
  GET  /sandbox/receipts the same as receipts to read
  POST /sandbox/faults   a script of faults, like: sales: 503*2, after_commit(reset)
  POST /sandbox/reset    forget sales and faults
"""


def answer_admin_request(office: BackOffice, method: str, path: str, body: bytes) -> Answer | None:
    """
    The answer to a request outside the contract; None if it is within.
    """
    if path == "/" and method == "GET":
        return _text(200, WELCOME)
    if path == "/sandbox/ledger" and method == "GET":
        return json_answer(200, office.ledger.to_json())
    if path == "/sandbox/receipts" and method == "GET":
        return _text(200, receipt_page(office.ledger))
    if path == "/sandbox/faults" and method == "POST":
        return _load_faults(office, body)
    if path == "/sandbox/reset" and method == "POST":
        office.reset()
        return json_answer(200, {"success": True})
    if path.startswith("/sandbox/") or path == "/":
        return problem(404, f"There is no {method} {path} in the sandbox.")

    return None


def _load_faults(office: BackOffice, body: bytes) -> Answer:
    """
    Take a script as plain text, or as `{"faults": "…", "seed": 0}`.
    """
    try:
        text = body.decode()
        value = json.loads(text) if text.lstrip().startswith("{") else {"faults": text}
        office.faults(str(value["faults"]), seed=int(value.get("seed", 0)))
    except FaultSyntaxError as exc:
        return problem(422, str(exc), position=exc.position, expected=exc.expected)
    except (ValueError, KeyError, TypeError) as exc:
        return problem(400, f"Send a script as text, or as JSON with 'faults': {exc}")

    return json_answer(200, {"success": True, "faults": office.faults_left})


def _text(status: int, text: str) -> Answer:
    return Answer(
        status=status,
        headers=(("Content-Type", "text/plain; charset=utf-8"),),
        body=text.encode(),
    )
