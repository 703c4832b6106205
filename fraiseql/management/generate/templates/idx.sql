CREATE INDEX {{ name }} ON {{ relation }} ({{ columns|join:", " }})
