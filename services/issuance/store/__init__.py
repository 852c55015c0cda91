"""All SQL of the room; every function works in the caller's transaction and commits nothing.

Locks are taken in one order everywhere: service day, counter, visit, case file, and last the
day's ticket numbers.
"""
