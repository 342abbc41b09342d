# How foreign-mnist.onnx was made: scikit-learn's MLP on MNIST, written by skl2onnx. Temper does not need Python.
# Usage: python make_foreign_model.py FOLDER_WITH_MNISTS_IDX_FILES
import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier

folder = Path(sys.argv[1])


def read(name, offset):
    return np.frombuffer((folder / name).read_bytes(), np.uint8, offset=offset)


images = read("train-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) / 255
labels = read("train-labels-idx1-ubyte", 8)
model = MLPClassifier((64,), batch_size=128, learning_rate_init=1e-3, max_iter=8, random_state=0)
model.fit(images, labels)
file = to_onnx(model, images[:1], options={"zipmap": False}, target_opset=17)
Path(__file__).with_name("foreign-mnist.onnx").write_bytes(file.SerializeToString())
test = read("t10k-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) / 255
print("test accuracy", model.score(test, read("t10k-labels-idx1-ubyte", 8)))
