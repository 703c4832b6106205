//! Rows as libpq keeps them, read in place.

use std::ffi::{c_char, c_int, c_void};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{Shape, run};

type Count = unsafe extern "C" fn(*const c_void) -> c_int;
type Number = unsafe extern "C" fn(*const c_void, c_int, c_int) -> c_int;
type Value = unsafe extern "C" fn(*const c_void, c_int, c_int) -> *const c_char;

/// The functions of the libpq that psycopg's wrapper is linked to.
#[pyclass(frozen, module = "fraiseql_accelerator")]
pub struct Results {
    ntuples: Count,
    getisnull: Number,
    getlength: Number,
    getvalue: Value,
}

#[pymethods]
impl Results {
    /// The addresses of `PQntuples`, `PQgetisnull`, `PQgetlength` and `PQgetvalue`.
    #[new]
    fn new(ntuples: usize, getisnull: usize, getlength: usize, getvalue: usize) -> PyResult<Self> {
        if [ntuples, getisnull, getlength, getvalue].contains(&0) {
            return Err(pyo3::exceptions::PyValueError::new_err("a function has no address"));
        }
        // SAFETY: the caller says that there are these functions, and libpq's have had these types always.
        unsafe {
            Ok(Self {
                ntuples: std::mem::transmute::<usize, Count>(ntuples),
                getisnull: std::mem::transmute::<usize, Number>(getisnull),
                getlength: std::mem::transmute::<usize, Number>(getlength),
                getvalue: std::mem::transmute::<usize, Value>(getvalue),
            })
        }
    }

    /// Return what `Shape.respond` makes of the first column of fraiseql's `rows`.
    fn respond<'py>(
        &self,
        py: Python<'py>,
        shape: &Shape,
        member: &[u8],
        rows: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        // psycopg's, which keeps what libpq has.
        let result = rows.getattr(intern!(py, "result"))?;
        let address: usize = result.getattr(intern!(py, "pgresult_ptr"))?.extract()?;
        let pointer = address as *const c_void;
        // SAFETY: psycopg's object, which `result` keeps alive, has the result until it ends, and nothing
        // ever changes one. A value is so long, and stands where it is as long.
        let rows: Vec<Option<&[u8]>> = unsafe {
            (0..(self.ntuples)(pointer))
                .map(|row| {
                    ((self.getisnull)(pointer, row, 0) == 0).then(|| {
                        let length = (self.getlength)(pointer, row, 0);
                        std::slice::from_raw_parts(
                            (self.getvalue)(pointer, row, 0).cast::<u8>(),
                            usize::try_from(length).unwrap_or(0),
                        )
                    })
                })
                .collect()
        };
        let input = rows.iter().flatten().map(|row| row.len()).sum();
        let response = run(py, input, || shape.0.respond(member, &rows));
        Ok(response.map(|response| PyBytes::new(py, &response)))
    }
}
