"""What the scripts are told, as the bench writes it (bench/src/job.ts), and what both of them need."""
import json

import onnxruntime


def plain(schema):
    """Without logical types: a time stays the number that it is on the wire."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if isinstance(schema, dict):
        return {name: plain(value) for name, value in schema.items() if name not in ("logicalType", "doc")}
    return schema


class Job:
    def __init__(self, path):
        with open(path) as file:
            self.__dict__.update(json.load(file))

    def session(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.model["file"], options, providers=["CPUExecutionProvider"])

    def tensors(self):
        return list(dict.fromkeys(output["tensor"] for output in self.model["outputs"]))

    def columns(self):
        """Of each output: the number of its tensor, and the column."""
        tensors = self.tensors()
        return [(tensors.index(output["tensor"]), output["column"]) for output in self.model["outputs"]]

    def decision(self, score):
        return next(one["name"] for one in self.decisions if one["atLeast"] is None or score >= one["atLeast"])
