"""The scenarios that the benchmark times."""

from pytest_bdd import scenarios

scenarios(".")
