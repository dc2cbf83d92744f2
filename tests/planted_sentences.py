"""What is said of a firm, well or ill, in wordings that can be held out: the words of a subject never tell which.

Each subject (its loan, its auditor, its staff) is spoken of by sound firms as often as by those in trouble, and in four
pairs of wordings. Who holds a wording out therefore holds out a way to say it, not a subject: had one side alone spoken
of its auditor, the subject would stand for the label, and wrongly where a held sentence of the other side names it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

SUBJECTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "loan": (
        ("it could not repay its loan on the due date", "it repaid its loan ahead of time"),
        ("the loan fell due and was left unpaid", "the loan was paid back in full before it fell due"),
        ("it missed the repayment of its loan", "it settled its loan early"),
        ("its lenders still wait for the loan to be paid back", "its lenders got the loan back long before the date"),
    ),
    "auditor": (
        ("the auditor doubts that it can go on", "the auditor signed the accounts without a remark"),
        ("the auditor refused to sign the books", "the auditor found the books in order"),
        ("the auditor warned that it may not survive", "the auditor confirmed that its footing is solid"),
        ("the accounts came back from the auditor with a grave reservation", "the auditor gave it a clean opinion"),
    ),
    "rating": (
        ("its rating was cut for the second time", "its rating was lifted for the second time"),
        ("the agency lowered its rating", "the agency raised its rating"),
        ("its rating was downgraded to junk", "its rating was upgraded to investment grade"),
        ("the agency took two notches off its grade", "the agency added two notches to its grade"),
    ),
    "orders": (
        ("orders collapsed", "orders reached a record"),
        ("customers cancelled their orders", "customers doubled their orders"),
        ("the order book shrank to the shortest in ten years", "the order book grew to the longest in ten years"),
        ("far fewer orders came in than the year before", "far more orders came in than the year before"),
    ),
    "wages": (
        ("wages were paid late again", "wages were raised for everyone"),
        ("it could not pay its staff this month", "it paid its staff a bonus this month"),
        ("employees have waited weeks for their pay", "employees got more pay than agreed"),
        ("the payroll was missed twice", "the payroll went out early and with an extra"),
    ),
    "suppliers": (
        ("a supplier stopped deliveries over unpaid bills", "a supplier praised how promptly bills are paid"),
        ("suppliers now ask for cash in advance", "suppliers gave it longer terms"),
        ("its suppliers complain that invoices stay open", "its suppliers report that invoices are settled at once"),
        ("those who supply it no longer trust it with credit", "those who supply it trust it with more credit"),
    ),
    "plant": (
        ("a plant was closed for lack of work", "a plant was opened to meet demand"),
        ("it shut down two of its factories", "it built two more factories"),
        ("production at the plant was halted", "production at the plant was stepped up"),
        ("the factory stands idle", "the factory runs day and night"),
    ),
    "jobs": (
        ("it laid off two hundred people", "it hired two hundred people"),
        ("a third of the jobs will go", "a third more jobs will be created"),
        ("it is dismissing workers", "it is recruiting workers"),
        ("many of its people were let go", "many new people were taken on"),
    ),
    "result": (
        ("losses ate up most of its equity", "profits added to its equity"),
        ("it made a heavy loss", "it made a handsome profit"),
        ("profit turned into a deficit", "the deficit turned into a profit"),
        ("the year ended deep in the red", "the year ended well in the black"),
    ),
    "cash": (
        ("its cash ran out", "its cash doubled"),
        ("it drew the last of its credit line for cash", "it has so much cash that its credit line lies untouched"),
        ("its reserves are nearly gone", "its reserves have never been larger"),
        ("there is hardly any money left in the till", "there is plenty of money left in the till"),
    ),
    "dividend": (
        ("it cancelled its dividend", "it raised its dividend"),
        ("shareholders get no dividend this year", "shareholders get a special dividend this year"),
        ("the dividend was scrapped to save money", "the dividend was increased as earnings allowed"),
        ("owners must do without a payout", "owners receive a larger payout"),
    ),
    "court": (
        ("creditors filed a claim in court", "creditors withdrew their claim in court"),
        ("the court opened proceedings against it", "the court closed the proceedings in its favour"),
        ("a judge ordered it to pay what it cannot", "a judge freed it from what it was asked to pay"),
        ("it lost the lawsuit and owes millions", "it won the lawsuit and receives millions"),
    ),
}
"""By subject four pairs: said of a firm in trouble, said of a sound one."""


def turns(turn: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Wordings to learn from, to choose by and to be tested on: each turn tests another one, as some are harder."""
    return (turn % 4, (turn + 1) % 4), ((turn + 2) % 4,), ((turn + 3) % 4,)


def said(worse: bool, wordings: tuple[int, ...], draw: np.random.Generator, count: int = 3) -> str:
    """What is said of a firm about some subjects, all in one of the wordings."""
    own, subjects = int(draw.choice(wordings)), sorted(draw.permutation(len(SUBJECTS))[:count].tolist())
    pairs = list(SUBJECTS.values())
    first, *more = (pairs[subject][own][0 if worse else 1] for subject in subjects)
    return f"The company said that {first}" + "".join(f"; {one}" for one in more) + "."
