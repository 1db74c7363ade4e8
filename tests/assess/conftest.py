"""The simulated scene that tests of scenes use."""

from scene.conftest import made_scene, scene_images

__all__ = ["made_scene", "scene_images"]
