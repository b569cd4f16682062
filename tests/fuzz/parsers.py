"""Every parser of outside data that is fuzzed."""

from system.download import UndeliveredError
from tests.fuzz import files, fleet, grammars, hosts, phones, reports, results
from tests.fuzz.parser import Parser

_STRUCTURE = ("SuperConvK", "BNRELU", "SuperResK", "SuperResIDWE", "SuperResK1K3K1", "K3K3", "(3,8,2,1)", "(8,8,1,8,1)")
_MODELS = ("timm:", "zennet:", "zennet-se:", "@224", "@published", "@figure", "*", "?", "[a-", "]", "EfficientNet-B0")
_TOML = (
    "[one]",
    "title=",
    "runtime=",
    '"ort"',
    "format=",
    '"onnx"',
    "precision=",
    '"fp32"',
    "batch=",
    "device=",
    "options=",
)
_ADB = (
    "device",
    "offline",
    "unauthorized",
    "model:Pixel_2",
    "usb:1-1",
    "List of devices attached",
    "OKAY0010",
    "tcp:",
    ":5037",
)
_TOOL = (
    "count=",
    "first=",
    "curr=",
    "min=",
    "max=",
    "avg=",
    "std=",
    "p5=",
    "median=",
    "p95=",
    "(all same)",
    "INFO: ",
    "E/tflite: ",
)
_ONNX = ("pkg.torch.onnx.name_scopes", "['', 'a', 'b']", "location", "float_data", "QuantizeLinear")

_ALL = (
    Parser("records", results.records, "json lines"),
    Parser("rendered", reports.rendered, "json lines", like="records"),
    Parser("compared", results.compared, "json lines", like="records"),
    Parser("earlier_sweeps", results.earlier_sweeps, "json lines", like="records"),
    Parser("journals", results.journals, "json lines"),
    Parser("duets", results.duets, "json lines"),
    Parser("duet_journals", results.duet_journals, "json lines"),
    Parser("accuracies", results.accuracies, "json lines"),
    Parser("predictions", results.predictions, "json lines"),
    Parser("epochs", results.epochs, "json lines"),
    Parser("known_machines", results.known_machines, "json lines"),
    Parser("peaks", results.peaks, "json lines"),
    Parser("profiles", reports.profiles, "json lines"),
    Parser("artifacts", results.artifacts, "json lines"),
    Parser("downloads", results.downloads, "json lines"),
    Parser("escapes", reports.escapes),
    Parser("questions", fleet.questions, "msgpack"),
    Parser("answers", fleet.answers, "msgpack"),
    Parser("inspections", fleet.inspections, "json lines"),
    Parser("descriptions", fleet.descriptions, "json lines"),
    Parser("runtime_envs", grammars.runtime_envs, "json lines"),
    Parser("targets", grammars.targets, words=_TOML),
    Parser("structures", grammars.structures, words=_STRUCTURE),
    Parser("names", grammars.names, words=_MODELS + _STRUCTURE),
    Parser("axes", grammars.axes, words=("..", "/", ",", "160", "320")),
    Parser("options", grammars.options, words=("=", "true", "0x", "1e9", "[", "{", "'''", '"""')),
    Parser("against", grammars.against, words=("option:", "weights:", "artifact:", "target:", "python:", "=")),
    Parser(
        "top1_tables", grammars.top1_tables, words=("model", "top1", "top1_percent", "img_size", "resolution_px", "nan")
    ),
    Parser(
        "label_files", grammars.label_files, words=("n01440764", "\t", ",", " 1000", "ImageId,PredictionString", '"')
    ),
    Parser("adb_devices", phones.devices, words=_ADB),
    Parser(
        "phone_readings",
        phones.readings,
        words=("temperature: ", "level: ", "Thermal Status: ", "airplane=", "mWakefulness="),
    ),
    Parser("benchmark_model", phones.benchmark_model, words=_TOOL),
    Parser(
        "op_profiles",
        phones.op_profiles,
        words=("= Run Order =", "[avg ms]", "[times called]", "[start]", "Delegate internal:"),
    ),
    Parser(
        "phone_shells",
        phones.shells,
        words=("stay=", "brightness=", "timeout=", "airplane=0", "mWakefulness=", "exit=", "'"),
    ),
    Parser(
        "http_answers",
        files.http_answers,
        words=("Content-Range: ", "bytes ", "Content-Length: ", "ETag: "),
        allowed=(UndeliveredError,),
    ),
    Parser("host_texts", hosts.texts, words=("max", "100000", "model name\t: ", "flags\t: ", "hypervisor")),
    Parser("leases", hosts.leases, "json lines"),
    Parser("ort_traces", files.ort_traces, "json lines"),
    Parser("images", files.images, "png"),
    Parser("checkpoints", files.checkpoints, "zip"),
    Parser("onnx_files", files.onnx_files, words=_ONNX),
    Parser("tflite_files", files.tflite_files),
    Parser("programs", files.programs, "zip"),
)
PARSERS = {parser.name: parser for parser in _ALL}
