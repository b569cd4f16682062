"""The INT8 quantizer for ONNX: calibration images, ranges, where Q/DQ pairs go, and their insertion."""
