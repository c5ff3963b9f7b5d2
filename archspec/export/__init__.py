"""A spec or a run as something that needs no archspec: one Python file, or a program of torch.export or ONNX."""
