"""What runs inside the images and beside docker-compose; standard library where it must."""
