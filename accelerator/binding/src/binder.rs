//! Forms and what is known of the bodies that have them, as Python sees them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use binder::{Body, Form, Json, Parameters, Target, Way};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::{exactly, int, part, string, tuple, unexpected};

/// Forms beyond these are not kept: each is compared with the variables in turn.
const MAX_FORMS: usize = 32;

/// Forms nest less deep: their makers read no deeper values.
const MAX_DEPTH: usize = 128;

type Answer<'py> = Option<Bound<'py, PyTuple>>;

/// The forms that the variables of one operation have, and what answers each.
#[pyclass(frozen, module = "fraiseql_accelerator")]
#[derive(Default)]
pub struct Forms {
    kept: Mutex<Vec<Arc<Kept>>>,
}

struct Kept {
    form: Form,
    /// What reads a value, and the parameters that it gives.
    calls: Vec<(Py<PyAny>, Vec<usize>)>,
    text: Py<PyAny>,
    params: Vec<Option<Py<PyBytes>>>,
    known: Py<PyAny>,
}

#[pymethods]
impl Forms {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Keep what answers requests whose variables have a form, if there is room.
    fn keep(
        &self,
        form: &Bound<'_, PyAny>,
        text: Py<PyAny>,
        params: Vec<Option<Py<PyBytes>>>,
        known: Py<PyAny>,
    ) -> PyResult<()> {
        let mut calls = Vec::new();
        let form = Reader { calls: &mut calls, slots: params.len() }.form(form, MAX_DEPTH)?;
        let mut kept = locked(&self.kept);
        if kept.len() < MAX_FORMS {
            kept.push(Arc::new(Kept { form, calls, text, params, known }));
        }
        Ok(())
    }

    /// Forget all of it.
    fn clear(&self) {
        let kept = std::mem::take(&mut *locked(&self.kept));
        drop(kept); // Not under the lock: the end of a Python object may run anything.
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Held only by somebody who is looking at it, and so no garbage.
        let Ok(kept) = self.kept.try_lock() else { return Ok(()) };
        for kept in kept.iter() {
            visit.call(&kept.text)?;
            visit.call(&kept.known)?;
            kept.calls.iter().try_for_each(|(callable, _)| visit.call(callable))?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        self.clear();
    }
}

impl Forms {
    fn bind<'py>(&self, py: Python<'py>, variables: &Json<'_>) -> PyResult<Answer<'py>> {
        // Not under the lock: callables may do anything.
        let fitting: Vec<_> =
            locked(&self.kept).iter().filter(|kept| kept.form.fits(variables)).cloned().collect();
        for kept in fitting {
            if let Some(params) = kept.params(py, variables)? {
                let step = (kept.text.clone_ref(py), params).into_pyobject(py)?;
                return (step, kept.known.clone_ref(py)).into_pyobject(py).map(Some);
            }
        }
        Ok(None)
    }
}

impl Kept {
    fn params<'py>(
        &self,
        py: Python<'py>,
        variables: &Json<'_>,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let values = self
            .params
            .iter()
            .map(|param| param.as_ref().map(|param| param.bind(py).clone()))
            .collect();
        let mut filling = Filling { py, kept: self, values, error: None };
        let filled = self.form.fill(variables, &mut filling);
        match (filled, filling.error) {
            (_, Some(error)) => Err(error),
            (None, None) => Ok(None),
            (Some(()), None) => PyList::new(py, filling.values).map(Some),
        }
    }
}

struct Filling<'k, 'py> {
    py: Python<'py>,
    kept: &'k Kept,
    values: Vec<Option<Bound<'py, PyBytes>>>,
    error: Option<PyErr>,
}

impl Filling<'_, '_> {
    fn set_all(&mut self, number: usize, value: &Json<'_>) -> PyResult<Option<()>> {
        let Some((callable, slots)) = self.kept.calls.get(number) else { return Ok(None) };
        let read = callable.bind(self.py).call1((python(self.py, value)?,))?;
        if read.is_none() {
            return Ok(None);
        }
        let read: Vec<Option<Bound<'_, PyBytes>>> = read.extract()?;
        for (slot, param) in slots.iter().zip(read) {
            if let Some(value) = self.values.get_mut(*slot) {
                *value = param;
            }
        }
        Ok(Some(()))
    }
}

impl Parameters for Filling<'_, '_> {
    fn put(&mut self, slot: usize, text: &str) {
        if let Some(value) = self.values.get_mut(slot) {
            *value = Some(PyBytes::new(self.py, text.as_bytes()));
        }
    }

    fn call(&mut self, number: usize, value: &Json<'_>) -> Option<()> {
        self.set_all(number, value).unwrap_or_else(|error| {
            self.error = Some(error);
            None
        })
    }
}

fn python<'py>(py: Python<'py>, value: &Json<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Json::Boolean(value) => PyBool::new(py, *value).to_owned().into_any(),
        Json::Integer(number) => number.into_pyobject(py)?.into_any(),
        Json::Text(text) => PyString::new(py, text).into_any(),
        Json::Array(items) => {
            let items: PyResult<Vec<_>> = items.iter().map(|item| python(py, item)).collect();
            PyList::new(py, items?)?.into_any()
        }
        Json::Null | Json::Number | Json::Object(_) => py.None().into_bound(py),
    })
}

/// The forms of operations by the spelling of their documents and names in bodies.
#[pyclass(frozen, module = "fraiseql_accelerator")]
pub struct Binder {
    most: usize,
    operations: Mutex<HashMap<Box<str>, Vec<Operation>>>,
}

struct Operation {
    name: Option<Box<str>>,
    forms: Py<Forms>,
}

#[pymethods]
impl Binder {
    /// `most`: so many documents are known at once.
    #[new]
    fn new(most: usize) -> Self {
        Self { most, operations: Mutex::default() }
    }

    /// Know that the variables of requests which ask for the same as `body` have `forms`.
    fn keep(&self, body: &Bound<'_, PyBytes>, forms: Py<Forms>) {
        let Some(body) = Body::read(body.as_bytes()) else { return };
        let mut operations = locked(&self.operations);
        let full = operations.len() >= self.most && !operations.contains_key(body.query);
        let all = if full { std::mem::take(&mut *operations) } else { HashMap::new() };
        let named = operations.entry(body.query.into()).or_default();
        let mut same = named.iter_mut().find(|operation| operation.name.as_deref() == body.name);
        let one = match &mut same {
            Some(operation) => Some(std::mem::replace(&mut operation.forms, forms)),
            None => {
                named.push(Operation { name: body.name.map(Into::into), forms });
                None
            }
        };
        drop(operations);
        // Now, for the end of a Python object may run anything.
        drop((all, one));
    }

    /// Return the step that answers a body and what is known of it; None if it fits no form.
    fn bind<'py>(&self, py: Python<'py>, body: &Bound<'py, PyAny>) -> PyResult<Answer<'py>> {
        let Ok(body) = body.cast::<PyBytes>() else { return Ok(None) };
        let Some(body) = Body::read(body.as_bytes()) else { return Ok(None) };
        match self.find(py, &body) {
            Some(forms) => forms.get().bind(py, &body.variables),
            None => Ok(None),
        }
    }
}

impl Binder {
    fn find(&self, py: Python<'_>, body: &Body<'_>) -> Option<Py<Forms>> {
        let operations = locked(&self.operations);
        let named = operations.get(body.query)?;
        let operation = named.iter().find(|operation| operation.name.as_deref() == body.name)?;
        Some(operation.forms.clone_ref(py))
    }
}

/// Nothing panics under these locks; if it did, what they hold would still be whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads forms as Python spells them: `fraiseql/engine/forms.py`.
struct Reader<'c> {
    calls: &'c mut Vec<(Py<PyAny>, Vec<usize>)>,
    slots: usize,
}

impl Reader<'_> {
    fn form(&mut self, spec: &Bound<'_, PyAny>, depth: usize) -> PyResult<Form> {
        if depth == 0 {
            return Err(PyValueError::new_err("the form nests too deep"));
        }
        if spec.is_none() {
            return Ok(Form::Null);
        }
        if let Ok(fields) = spec.cast_exact::<PyDict>() {
            let mut read = Vec::with_capacity(fields.len());
            for (name, field) in fields {
                read.push((string(&name)?, self.form(&field, depth - 1)?));
            }
            return Ok(Form::Object(read));
        }
        if let Ok(items) = spec.cast_exact::<PyList>() {
            let items: PyResult<Vec<_>> =
                items.iter().map(|item| self.form(&item, depth - 1)).collect();
            return items.map(Form::Array);
        }
        self.leaf(tuple(spec)?)
    }

    fn leaf(&mut self, parts: &Bound<'_, PyTuple>) -> PyResult<Form> {
        let second = part(parts, 1)?;
        Ok(match (int(&part(parts, 0)?)?, parts.len()) {
            (0, 2) => Form::Text(self.targets(&second)?),
            (1, 2) => Form::Id(self.targets(&second)?),
            (2, 2) => Form::Int(self.targets(&second)?),
            (3, 2) => Form::Boolean(self.targets(&second)?),
            (4, 2) => Form::Same(scalar(&second)?),
            (kind @ (5 | 6), 3) => {
                let slots: PyResult<Vec<_>> =
                    tuple(&part(parts, 2)?)?.iter().map(|slot| self.slot(&slot)).collect();
                self.calls.push((second.unbind(), slots?));
                Form::Call { number: self.calls.len() - 1, list: kind == 6 }
            }
            _ => return Err(unexpected(parts, "a form")),
        })
    }

    fn targets(&self, spec: &Bound<'_, PyAny>) -> PyResult<Vec<Target>> {
        tuple(spec)?
            .iter()
            .map(|target| {
                let [slot, way] = exactly(&target)?;
                Ok(Target { slot: self.slot(&slot)?, way: read_way(&way)? })
            })
            .collect()
    }

    fn slot(&self, spec: &Bound<'_, PyAny>) -> PyResult<usize> {
        let slot = usize::try_from(int(spec)?).ok().filter(|slot| *slot < self.slots);
        slot.ok_or_else(|| unexpected(spec, "a parameter's index"))
    }
}

fn read_way(spec: &Bound<'_, PyAny>) -> PyResult<Way> {
    if spec.is_exact_instance_of::<PyTuple>() {
        let [before, after] = exactly(spec)?;
        return Ok(Way::Like(string(&before)?, string(&after)?));
    }
    match int(spec)? {
        0 => Ok(Way::Same),
        1 => Ok(Way::Uuid),
        2 => Ok(Way::Int32),
        3 => Ok(Way::Int64),
        4 => Ok(Way::Instant),
        _ => Err(unexpected(spec, "a way")),
    }
}

fn scalar(spec: &Bound<'_, PyAny>) -> PyResult<Json<'static>> {
    if let Ok(value) = spec.cast_exact::<PyBool>() {
        return Ok(Json::Boolean(value.is_true()));
    }
    if spec.is_exact_instance_of::<PyInt>() {
        return Ok(Json::Integer(int(spec)?));
    }
    Ok(Json::Text(string(spec)?.into()))
}
