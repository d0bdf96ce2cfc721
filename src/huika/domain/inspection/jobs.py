"""Reading pictures: long work, in a worker."""

import time
from uuid import UUID

from huika.domain.evidence import queries as evidence
from huika.domain.inspection import actions, models, sealing
from huika.kit.jobs import job


@job("inspection.read")
def read_pictures(question_id: str) -> None:
    """Read front and back of one question and have it judged."""
    from huika.domain.inspection import reading  # opencv and the recogniser load with the first picture only

    question = models.Question.objects.filter(id=question_id).first()
    if question is None:
        return
    declared = sealing.opened(bytes(question.declared))
    started = time.process_time()
    readings = [
        reading.read(
            reading.load(evidence.picture_bytes(bytes(side).hex())),
            pin_patterns=declared["pin_patterns"],
            number_patterns=declared["number_patterns"],
        )
        for side in (question.front, question.back)
    ]
    actions.answer(UUID(question_id), readings, round((time.process_time() - started) * 1000))
