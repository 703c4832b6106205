//! The binder and the projector as a Python module: what crosses the border is bytes, str, int and tuples.

mod binder;
mod results;

use projector::{BadShape, Field, Key, Leaf, MAX_DEPTH, Names, Node, Projected, Refused, Step};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};

/// Below so many bytes the interpreter lock is kept: others would wait less than taking it again costs.
const DETACH_BYTES: usize = 1 << 16;

pyo3::create_exception!(
    fraiseql_accelerator,
    MalformedRow,
    PyValueError,
    "A row is not JSON. `row`: its index, `offset`: the byte at which it stops being JSON."
);

/// What goes out of JSON documents, compiled from a node.
#[pyclass(frozen, module = "fraiseql_accelerator")]
struct Shape(projector::Shape);

type Answer<'py> = (Bound<'py, PyBytes>, Bound<'py, PyTuple>);

#[pymethods]
impl Shape {
    #[new]
    fn new(node: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(projector::Shape::new(read_node(node, MAX_DEPTH)?)))
    }

    /// Return what the shape asks for of one document, as JSON, and the errors met.
    fn project_row<'py>(
        &self,
        py: Python<'py>,
        row: Option<PyBackedBytes>,
    ) -> PyResult<Answer<'py>> {
        let input = row.as_ref().map_or(0, |row| row.len());
        answer(py, run(py, input, || self.0.project_row(row.as_deref())))
    }

    /// Return what the shape, a LIST, asks for, its items being `rows`, as one JSON array.
    fn project_rows<'py>(
        &self,
        py: Python<'py>,
        rows: Vec<Option<PyBackedBytes>>,
    ) -> PyResult<Answer<'py>> {
        let input = rows.iter().flatten().map(|row| row.len()).sum();
        answer(py, run(py, input, || self.0.project_rows(&rows)))
    }

    /// Return the response of a query of one field, whose documents are `rows`: the items of a LIST, or
    /// else the first is the value. `member`: the field's name, quoted, and a colon. None: it has errors.
    fn respond<'py>(
        &self,
        py: Python<'py>,
        member: &[u8],
        rows: Vec<Option<PyBackedBytes>>,
    ) -> Option<Bound<'py, PyBytes>> {
        let input = rows.iter().flatten().map(|row| row.len()).sum();
        let response = run(py, input, || self.0.respond(member, &rows))?;
        Some(PyBytes::new(py, &response))
    }
}

pub(crate) fn run<T: Send>(py: Python<'_>, input: usize, work: impl FnOnce() -> T + Send) -> T {
    if input < DETACH_BYTES { work() } else { py.detach(work) }
}

fn answer<'py>(
    py: Python<'py>,
    projected: Result<Projected<'_>, Refused>,
) -> PyResult<Answer<'py>> {
    let (json, errors) = match projected {
        Ok(projected) => projected,
        Err(Refused::Malformed { row, offset }) => return Err(malformed(py, row, offset)),
        Err(Refused::NotAList) => {
            return Err(PyValueError::new_err("project_rows needs a LIST at the root"));
        }
    };
    let mut answers = Vec::with_capacity(errors.len());
    for error in errors {
        let mut path = Vec::with_capacity(error.path.len());
        for step in error.path {
            path.push(match step {
                Step::Key(key) => PyString::new(py, key).into_any(),
                Step::Index(index) => index.into_pyobject(py)?.into_any(),
            });
        }
        answers.push((PyTuple::new(py, path)?, error.label, error.reason as u8));
    }
    Ok((PyBytes::new(py, &json), PyTuple::new(py, answers)?))
}

fn malformed(py: Python<'_>, row: usize, offset: usize) -> PyErr {
    let error = MalformedRow::new_err((row, offset));
    let value = error.value(py);
    match value.setattr("row", row).and_then(|()| value.setattr("offset", offset)) {
        Ok(()) => error,
        Err(error) => error,
    }
}

fn read_node(spec: &Bound<'_, PyAny>, depth: usize) -> PyResult<Node> {
    if depth == 0 {
        return Err(PyValueError::new_err(format!("nodes nest more than {MAX_DEPTH} deep")));
    }
    let parts = tuple(spec)?;
    let leaf = match (int(&part(parts, 0)?)?, parts.len()) {
        (0, 2) => Leaf::String,
        (1, 2) => Leaf::Int,
        (2, 2) => Leaf::Float,
        (3, 2) => Leaf::Boolean,
        (4, 2) => Leaf::Digits,
        (5, 2) => Leaf::Id,
        (6, 2) => Leaf::Datetime,
        (7, 2) => Leaf::Text,
        (8, 2) => Leaf::Json,
        (9, 3) => Leaf::Enum(read_names(&part(parts, 2)?)?),
        (10, 3) => {
            let item = read_node(&part(parts, 2)?, depth - 1)?;
            return Ok(Node::list(flag(parts)?, item));
        }
        (11 | 12, _) => return read_object(parts, depth - 1, false),
        (13, 2) => return Node::constant(bytes(&part(parts, 1)?)?).map_err(bad),
        (14, 2) => {
            let inner = part(parts, 1)?;
            if depth < 2 {
                return read_node(&inner, depth - 1);
            }
            let inner = read_object(tuple(&inner)?, depth - 2, true)?;
            return Node::joined(inner).map_err(bad);
        }
        (kind, count) => {
            let message = format!("no node has the kind {kind} and {count} parts");
            return Err(PyValueError::new_err(message));
        }
    };
    Ok(Node::leaf(flag(parts)?, leaf))
}

/// Reads an object, of which `joined` says whether its fields may ask for values beside it.
fn read_object(parts: &Bound<'_, PyTuple>, depth: usize, joined: bool) -> PyResult<Node> {
    match (int(&part(parts, 0)?)?, parts.len()) {
        (11, 3) => {
            let fields = read_fields(&part(parts, 2)?, depth, joined)?;
            Node::object(flag(parts)?, fields).map_err(bad)
        }
        (12, 4) => {
            let types = read_types(&part(parts, 3)?, depth, joined)?;
            Node::by_type(flag(parts)?, bytes(&part(parts, 2)?)?, types).map_err(bad)
        }
        _ => Err(unexpected(parts, "an object")),
    }
}

fn read_names(spec: &Bound<'_, PyAny>) -> PyResult<Names> {
    let mut pairs = Vec::new();
    for pair in tuple(spec)? {
        let [token, name] = exactly(&pair)?;
        pairs.push((bytes(&token)?, bytes(&name)?));
    }
    Names::new(pairs).map_err(bad)
}

type Types = Vec<(Vec<u8>, Vec<Field>)>;

fn read_types(spec: &Bound<'_, PyAny>, depth: usize, joined: bool) -> PyResult<Types> {
    let mut types = Vec::new();
    for pair in tuple(spec)? {
        let [value, fields] = exactly(&pair)?;
        types.push((bytes(&value)?, read_fields(&fields, depth, joined)?));
    }
    Ok(types)
}

fn read_fields(spec: &Bound<'_, PyAny>, depth: usize, joined: bool) -> PyResult<Vec<Field>> {
    let mut fields = Vec::new();
    for field in tuple(spec)? {
        let [key, response_key, label, node] = exactly(&field)?;
        fields.push(Field {
            key: read_key(&key, joined)?,
            response_key: string(&response_key)?,
            label: string(&label)?,
            node: read_node(&node, depth)?,
        });
    }
    Ok(fields)
}

fn read_key(spec: &Bound<'_, PyAny>, joined: bool) -> PyResult<Key> {
    if joined && spec.is_exact_instance_of::<PyInt>() {
        let index = usize::try_from(int(spec)?).map_err(|_| unexpected(spec, "an index"))?;
        return Ok(Key::Element(index));
    }
    Ok(Key::Member(bytes(spec)?))
}

fn exactly<'py, const N: usize>(spec: &Bound<'py, PyAny>) -> PyResult<[Bound<'py, PyAny>; N]> {
    let parts: Vec<_> = tuple(spec)?.iter().collect();
    parts.try_into().map_err(|_| unexpected(spec, &format!("{N} parts")))
}

fn part<'py>(parts: &Bound<'py, PyTuple>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    parts.get_item(index).map_err(|_| unexpected(parts, "a node"))
}

fn flag(parts: &Bound<'_, PyTuple>) -> PyResult<bool> {
    let nullable = part(parts, 1)?;
    match int(&nullable)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(unexpected(&nullable, "nullable, 0 or 1,")),
    }
}

fn tuple<'a, 'py>(value: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyTuple>> {
    value.cast_exact().map_err(|_| unexpected(value, "a tuple"))
}

fn int(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let number = value.cast_exact::<PyInt>().map_err(|_| unexpected(value, "an int"))?;
    number.extract().map_err(|_| unexpected(value, "a small int"))
}

fn bytes(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let bytes = value.cast_exact::<PyBytes>().map_err(|_| unexpected(value, "bytes"))?;
    Ok(bytes.as_bytes().to_vec())
}

fn string(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let string = value.cast_exact::<PyString>().map_err(|_| unexpected(value, "a str"))?;
    string.extract().map_err(|_| unexpected(value, "a str without surrogates"))
}

fn unexpected(value: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let shown: String = match value.repr() {
        Ok(repr) => repr.to_string().chars().take(100).collect(),
        Err(error) => return error,
    };
    PyValueError::new_err(format!("expected {expected}, not {shown}"))
}

fn bad(error: BadShape) -> PyErr {
    PyValueError::new_err(error.0)
}

/// The hot path of fraiseql-django in Rust.
#[pymodule(gil_used = false)]
mod fraiseql_accelerator {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::binder::{Binder, Forms};
    #[pymodule_export]
    use super::results::Results;
    #[pymodule_export]
    use super::{MalformedRow, Shape};

    // The CONTRACT_VERSION of fraiseql/schema/shape.py that this module keeps.
    #[pymodule_export]
    const CONTRACT_VERSION: u32 = 3;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
