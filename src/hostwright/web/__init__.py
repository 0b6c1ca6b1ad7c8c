"""The HTTP shell: dependencies, errors, page rendering, our CSS and JavaScript. Knows no feature."""
