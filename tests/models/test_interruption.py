"""Signals wait where work would be lost, and end a process elsewhere."""

import os
import signal

import pytest

from landslip.models.interruption import SIGNALS, Interrupted, noting_signals


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_process_with_its_number(number: int):
    with pytest.raises(Interrupted) as caught, noting_signals():
        os.kill(os.getpid(), number)
        raise AssertionError("the signal was not heard")
    assert caught.value.code == 128 + number


def test_a_signal_waits_until_the_work_looks(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    done = []
    with pytest.raises(Interrupted), noting_signals() as interruption, interruption.waits():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("saved")
        assert interruption.signal == signal.SIGTERM
        raise Interrupted(interruption.signal, "7 steps are saved")
    assert done == ["saved"]
    assert caplog.messages == ["stopped by SIGTERM: 7 steps are saved"]


def test_a_signal_that_nobody_looked_at_is_obeyed_at_the_end():
    with pytest.raises(Interrupted), noting_signals() as interruption:
        with interruption.waits():
            os.kill(os.getpid(), signal.SIGUSR1)
        raise AssertionError("the signal was forgotten")


def test_a_second_signal_does_not_disturb_the_end():
    cleaned = []
    with pytest.raises(Interrupted), noting_signals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned.append(True)
    assert cleaned == [True]


def test_handlers_are_as_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    with noting_signals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_is_ignored_stays_ignored():
    """As SIGHUP is under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with noting_signals() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
        assert interruption.signal is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_log_tells_what_the_block_says_of_itself(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    with pytest.raises(Interrupted), noting_signals("it starts anew"):
        os.kill(os.getpid(), signal.SIGHUP)
    assert caplog.messages == ["stopped by SIGHUP: it starts anew"]
