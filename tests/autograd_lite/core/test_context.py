"""Switches hold where they were entered: in their thread, their task, their generator's steps, and no longer."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite import Tensor, no_grad


def run(coroutine):
    """What a coroutine returns; in a thread of its own, since a browser of other tests may have a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, coroutine).result()


def records():
    return (Tensor(1.0, requires_grad=True) * 2).requires_grad


def test_one_block_object_is_entered_by_two_threads():
    block, entered, leave, seen = no_grad(), threading.Event(), threading.Event(), []

    def other():
        with block:
            entered.set()
            leave.wait(10)
        seen.append(records())

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(10)
    with no_grad(), block:
        leave.set()
        thread.join()
    assert seen == [True]
    assert records()


@given(st.permutations(range(4)))
def test_blocks_of_generators_are_left_in_any_order(order):
    def within():
        with no_grad():
            yield records()

    generators = [within() for _ in range(4)]
    assert not any(map(next, generators))
    for i in order:
        generators[i].close()
        assert records()


def test_a_generators_block_does_not_hold_for_its_caller():
    def within():
        with no_grad():
            yield records()
            yield records()
        yield records()

    def outer():
        yield from within()

    for generator in (within(), outer()):
        found = [(inside, records()) for inside in generator]
        assert found == [(False, True), (False, True), (True, True)]


def test_an_asynchronous_generators_block_does_not_hold_for_its_caller():
    async def within():
        with no_grad():
            yield records()

    async def both():
        return [(inside, records()) async for inside in within()]

    assert run(both()) == [(False, True)]


def test_a_context_manager_made_of_a_generator_holds_for_its_caller():
    @contextmanager
    def evaluating():
        with no_grad():
            yield

    with evaluating():
        assert not records()
    assert records()


def test_a_block_across_an_await_holds_for_its_own_task():
    async def without(ready, go):
        with no_grad():
            ready.set()
            await go.wait()
            return records()

    async def both():
        ready, go = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(without(ready, go))
        await ready.wait()
        meanwhile = records()
        go.set()
        return meanwhile, await task

    assert run(both()) == (True, False)
    assert records()


def test_tasks_inherit_the_block_that_they_were_started_in():
    async def started_within():
        with no_grad():
            task = asyncio.create_task(asyncio.to_thread(records))
        return await task

    assert not run(started_within())


def test_a_copied_context_takes_the_block_to_another_thread():
    with no_grad():
        context = copy_context()
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(context.run, records).result()
        assert pool.submit(records).result()


def test_a_decorated_generator_steps_without_recording_and_its_caller_with_it():
    @no_grad()
    def steps():
        sent = yield records()
        try:
            yield (sent, records())
        except KeyError:
            yield records()
        return "the end"

    generator = steps()
    assert next(generator) is False
    assert records()
    assert generator.send("sent") == ("sent", False)
    assert generator.throw(KeyError()) is False
    assert records()
    with pytest.raises(StopIteration, match="the end"):
        next(generator)
    assert records()


def test_closing_a_decorated_generator_runs_its_clean_up():
    cleaned = []

    @no_grad()
    def steps():
        try:
            yield
        finally:
            cleaned.append(records())

    generator = steps()
    next(generator)
    generator.close()
    assert len(cleaned) == 1


def test_a_decorated_coroutine_runs_without_recording():
    @no_grad()
    async def predict():
        await asyncio.sleep(0)
        return records()

    async def both():
        return await asyncio.gather(predict(), asyncio.to_thread(records))

    assert run(both()) == [False, True]


def test_a_decorated_asynchronous_generator_steps_without_recording():
    @no_grad()
    async def steps():
        for _ in range(2):
            await asyncio.sleep(0)
            yield records()

    async def taken():
        return [(value, records()) async for value in steps()]

    assert run(taken()) == [(False, True), (False, True)]


def test_an_exception_ends_its_own_block_alone():
    with no_grad():
        with pytest.raises(KeyError), no_grad():
            raise KeyError
        assert not records()
    assert records()


def test_one_object_can_be_entered_within_itself():
    block = no_grad()
    with block:
        with block:
            assert not records()
        assert not records()
    assert records()


def test_a_graph_of_one_thread_is_differentiated_in_another():
    w = Tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loss.backward).result()
    np.testing.assert_array_equal(w.grad.data, [2.0, 4.0])
