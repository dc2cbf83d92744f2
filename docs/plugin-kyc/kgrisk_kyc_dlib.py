"""Faces compared by dlib's residual network: the distance of two vectors of 128 numbers, which are thrown away.

Needs the extra `dlib` of this package. Of the weights it brings only those in the public domain are used.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from kg.errors import MissingExtraError, RecordError
from kgrisk.kyc import FaceMatcher

MOST = 1600
"""Longest side that is looked at, in pixels."""


class DlibMatcher(FaceMatcher):
    """Distance of two faces under dlib_face_recognition_resnet_model_v1."""

    version = "dlib-resnet-v1@1"
    threshold = 0.5
    doubt = 0.65
    false_match_rate = 0.0062
    false_non_match_rate = 0.0062
    measured_on = (
        "the network's maker reports 99.38 % of pairs right on Labeled Faces in the Wild at threshold 0.6, which is "
        "given here as both rates; at the threshold and range of doubt used here they are not measured"
    )

    def distance(self, reference: bytes, probe: bytes) -> float:
        return float(np.linalg.norm(_vector(reference, "reference") - _vector(probe, "probe")))


def _vector(picture: bytes, name: str) -> Any:
    detector, landmarks, network = _models()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.thumbnail((MOST, MOST))
    pixels = np.asarray(image)
    faces = detector(pixels, 1)
    if len(faces) != 1:
        raise RecordError(f"the {name} shows {len(faces)} faces; expected exactly one, seen from the front")
    return np.array(network.compute_face_descriptor(pixels, landmarks(pixels, faces[0])))


@lru_cache(maxsize=1)
def _models() -> tuple[Any, Any, Any]:
    try:
        import dlib
        import face_recognition_models as weights
    except ImportError as error:
        raise MissingExtraError(f"{error}; install kgrisk-kyc[dlib]") from error
    return (
        dlib.get_frontal_face_detector(),
        dlib.shape_predictor(weights.pose_predictor_five_point_model_location()),
        dlib.face_recognition_model_v1(weights.face_recognition_model_location()),
    )
