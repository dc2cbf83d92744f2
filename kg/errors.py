"""Every error that is raised on purpose.

KgRiskError
├── OntologyError        a claim does not fit the vocabulary
├── LedgerError          the ledger cannot be read or written as asked
│   ├── LeaseHeldError       another process is writing
│   ├── StaleWriterError     the head moved, or the lease was taken over
│   ├── ClockError           the clock went back, or a time has no zone
│   ├── ForeignLedgerError   a store or cache belongs to another ledger
│   └── ErasedError          what was asked for went with a person who was erased
├── FormatError          a home or store has a form that this version does not read
├── StoreError           a graph store failed
│   ├── StoreLockedError     another process holds the embedded store
│   ├── QueryError           the store refused a query
│   ├── QueryTimeoutError    the store gave up after the time allowed
│   └── QueryMemoryError     a query needed more memory than the store gives to one
├── SourceError          a whole source cannot be read (the run stops)
│   └── RecordError          one record cannot be read (it is quarantined, the run goes on)
├── ExpectationError     the counts of a run are out of the range expected; nothing was written
├── CatalogError         a named query does not load, or was called with wrong parameters
├── MeasureError         a risk measure was given something it does not support
├── ModelError           a model, encoder or checkpoint cannot be used
│   └── LostRankError        another process of a training run died or does not answer
├── DiskError            a disk is full, may not be written, or fails
├── TooLargeError        what is asked needs more memory than is free
├── ExecutorError        work over many shards cannot be done
│   └── CancelledError       it was asked to stop
├── MissingExtraError    a package of an optional extra is not installed
└── SettingsError        a setting is unknown or has a wrong value

A message names what was given, what was expected and what to do next.
"""


class KgRiskError(Exception):
    """Root of all errors raised on purpose."""


class OntologyError(KgRiskError):
    """A claim does not fit the vocabulary."""


class LedgerError(KgRiskError):
    """The ledger cannot be read or written as asked."""


class LeaseHeldError(LedgerError):
    """Another process holds the write lease."""


class StaleWriterError(LedgerError):
    """The head moved under this writer, or its lease was taken over."""


class ClockError(LedgerError):
    """The clock went back, or a time carries no zone."""


class ForeignLedgerError(LedgerError):
    """A store or cache belongs to another ledger."""


class ErasedError(LedgerError):
    """What was asked for went with a person who was erased."""


class FormatError(KgRiskError):
    """A home or store has a form that this version does not read."""


class StoreError(KgRiskError):
    """A graph store failed."""


class StoreLockedError(StoreError):
    """Another process holds the embedded store."""


class QueryError(StoreError):
    """The store refused a query."""


class QueryTimeoutError(StoreError):
    """The store gave up after the time allowed."""


class QueryMemoryError(StoreError):
    """A query needed more memory than the store gives to one."""


class SourceError(KgRiskError):
    """A whole source cannot be read; the run stops."""


class RecordError(SourceError):
    """One record cannot be read; it is quarantined and the run goes on."""


class ExpectationError(KgRiskError):
    """The counts of a run are out of the range expected; nothing was written."""


class CatalogError(KgRiskError):
    """A named query does not load, or was called with wrong parameters."""


class MeasureError(KgRiskError):
    """A risk measure was given something it does not support."""


class ModelError(KgRiskError):
    """A model, encoder or checkpoint cannot be used."""


class LostRankError(ModelError):
    """Another process of a training run died or does not answer."""


class MissingExtraError(KgRiskError):
    """A package of an optional extra is not installed."""


class SettingsError(KgRiskError):
    """A setting is unknown or has a wrong value."""


class DiskError(KgRiskError):
    """A disk is full, may not be written, or fails."""


class TooLargeError(KgRiskError):
    """What is asked needs more memory than is free."""


class ExecutorError(KgRiskError):
    """Work over many shards cannot be done."""


class CancelledError(ExecutorError):
    """Work was asked to stop before its end."""
