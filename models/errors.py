"""The error tree of the models: each name says what failed, each message what to do."""


class ModelError(Exception):
    """A training or a model file failed with one clear line for the person who reads it."""


class DataRefused(ModelError):
    """The rows can't be learned from: names the column and what is wrong with it."""


class Diverged(ModelError):
    """The loss or a gradient became NaN or infinite; no model is made (R22)."""


class RankLost(ModelError):
    """A process of the training died or hangs; names its rank (R21)."""


class CheckpointRefused(ModelError):
    """The checkpoints belong to another training."""


class ModelRefused(ModelError):
    """A model file is not of the shape that ours have; it was not opened (B24, B25, R15)."""


class FamilyMissing(ModelError):
    """A family is not there, or what it needs is not installed."""
