"""Every scenario below this folder."""

from pytest_bdd import scenarios

scenarios(".")
