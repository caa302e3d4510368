"""Plays requests over one connection until its time is over."""

import time

from .job import Job
from .sequences import Recorded, Request, RequestSequence, Saved
from .wire import NoAnswer, Wire


class Player:
    """Asks the app; what is not answered is an answer of status 0 that says why."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings
        self._deadline = time.monotonic() + job.settings.replay_seconds
        self._wire = Wire(
            job.settings.app_url,
            seconds=job.settings.call_seconds,
            limit=job.settings.answer_bytes,
        )
        self.calls = 0
        self.looks: list[Request] = []
        """what the sequence that was played last asked at its end and changed nothing by"""

    def play(self, sequence: RequestSequence) -> list[Recorded]:
        saved = Saved()
        answers = []
        self.looks = []
        for step in sequence["steps"]:
            request = saved.request(step)
            self.looks = [*self.looks, request] if request.method == "GET" else []
            answer = self.ask(request)
            saved.keep(step, answer[2])
            answers.append(answer)
        return answers

    def ask(self, request: Request) -> Recorded:
        if time.monotonic() > self._deadline:
            return (0, "", f"replay took longer than {self._settings.replay_seconds:g} s")
        self.calls += 1
        headers = dict(request.headers)
        if request.body is not None:
            headers.setdefault("content-type", "application/json")
        try:
            answer = self._wire.call(
                request.method,
                request.path,
                headers,
                (request.body or "").encode("utf-8", "replace"),
            )
        except NoAnswer as error:
            return (0, "", str(error))
        return (answer.status, answer.content_type, answer.body.decode("utf-8", "replace"))

    def close(self) -> None:
        self._wire.close()
