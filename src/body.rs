//! Request bodies from the host's own parts: a picture's bytes pass from its Blob or array into the body without a stop in
//! this memory.

use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, FormData};

use crate::core::http::{ImageData, Part};
use crate::core::text;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn btoa(binary: &JsString) -> Result<JsString, JsValue>;
    #[wasm_bindgen(js_namespace = ["String", "fromCharCode"], js_name = apply)]
    fn binary_string(this: &JsValue, bytes: &Uint8Array) -> JsString;

    type TextDecoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextDecoder;
    #[wasm_bindgen(method)]
    fn decode(this: &TextDecoder, bytes: &Uint8Array) -> JsString;

    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &TextEncoder, letters: &JsString, into: &Uint8Array);
}

/// Three bytes make four letters: pieces of a multiple of three join without padding between.
const BASE64_PIECE: u32 = 3 * 8192;
/// Some dozens of them make a large picture.
const BLOB_PIECE: u32 = 32 * BASE64_PIECE;

/// Bodies up to this size, in bytes, go out as text like all others: it is what wrappers of fetch expect of JSON.
const TEXT_UP_TO: u32 = 1024 * 1024;

/// The body as JSON: text, or bytes where large pictures belong in it. Their letters are made by the host, piece by piece, at the place
/// where they leave from: as strings that are joined they would stand in memory twice, and once more as bytes.
pub async fn json_body(text: &str, gaps: &[(usize, ImageData)], images: &Array) -> Result<JsValue, JsValue> {
    if gaps.is_empty() {
        return Ok(text.into());
    }
    let sources: Vec<JsValue> = gaps.iter().map(|(_, image)| images.get(image.index as u32)).collect();
    let letters = gaps.iter().zip(&sources).map(|((_, image), source)| letters_of(source, image));
    let mut body = BodyWriter::new(text.len() as u32 + letters.sum::<u32>());
    let mut written = 0;
    for ((at, image), source) in gaps.iter().zip(sources) {
        body.bytes(&text.as_bytes()[written..*at]);
        written = *at;
        body.data_uri(source, image).await?;
    }
    body.bytes(&text.as_bytes()[written..]);
    Ok(match body.whole.length() {
        ..=TEXT_UP_TO => TextDecoder::new().decode(&body.whole).into(),
        _ => body.whole.into(),
    })
}

/// The length of a picture's data URI.
fn letters_of(source: &JsValue, image: &ImageData) -> u32 {
    match source.dyn_ref::<JsString>() {
        Some(uri) => uri.length(),
        None => {
            let size = source.dyn_ref::<Uint8Array>().map(Uint8Array::length);
            let size = size.unwrap_or_else(|| source.unchecked_ref::<Blob>().size() as u32);
            data_uri_head(image).len() as u32 + size.div_ceil(3) * 4
        }
    }
}

fn data_uri_head(image: &ImageData) -> String {
    text::concat(&["data:", &image.mime, ";base64,"])
}

/// A body of known length, written from its start to its end.
struct BodyWriter {
    whole: Uint8Array,
    at: u32,
    encoder: TextEncoder,
}

impl BodyWriter {
    fn new(length: u32) -> Self {
        BodyWriter { whole: Uint8Array::new_with_length(length), at: 0, encoder: TextEncoder::new() }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.whole.set(&Uint8Array::from(bytes), self.at);
        self.at += bytes.len() as u32;
    }

    fn ascii(&mut self, letters: &JsString) {
        let end = self.at + letters.length();
        self.encoder.encode_into(letters, &self.whole.subarray(self.at, end));
        self.at = end;
    }

    async fn data_uri(&mut self, source: JsValue, image: &ImageData) -> Result<(), JsValue> {
        if let Some(uri) = source.dyn_ref::<JsString>() {
            self.ascii(uri);
            return Ok(());
        }
        self.bytes(data_uri_head(image).as_bytes());
        match source.dyn_ref::<Uint8Array>() {
            Some(bytes) => self.base64(bytes),
            None => self.blob(source.unchecked_ref()).await,
        }
    }

    /// A Blob is read in pieces too: it may be a file, and as a whole it would stand in memory beside its letters.
    async fn blob(&mut self, blob: &Blob) -> Result<(), JsValue> {
        let (size, mut at) = (blob.size(), 0.0);
        while at < size {
            let end = size.min(at + f64::from(BLOB_PIECE));
            let piece = blob.slice_with_f64_and_f64(at, end)?;
            let bytes = Uint8Array::new(&JsFuture::from(piece.array_buffer()).await?);
            if f64::from(bytes.length()) != end - at {
                return Err(JsError::new("the picture is not of the size that it said").into());
            }
            self.base64(&bytes)?;
            at = end;
        }
        Ok(())
    }

    fn base64(&mut self, bytes: &Uint8Array) -> Result<(), JsValue> {
        let mut at = 0;
        while at < bytes.length() {
            let end = bytes.length().min(at + BASE64_PIECE);
            self.ascii(&btoa(&binary_string(&JsValue::NULL, &bytes.subarray(at, end)))?);
            at = end;
        }
        Ok(())
    }
}

/// The body as a form: its parts in their order.
pub fn form(parts: &[Part], images: &Array) -> Result<FormData, JsValue> {
    let form = FormData::new()?;
    for part in parts {
        match part {
            Part::Text { name, value } => form.append_with_str(name, value)?,
            Part::File { name, filename, image } => {
                let source = images.get(image.index as u32);
                form.append_with_blob_and_filename(name, &typed_blob(source, &image.mime)?, filename)?;
            }
        }
    }
    Ok(form)
}

/// The picture as a Blob that says its type: a part without one is guessed at by the service.
fn typed_blob(source: JsValue, mime: &str) -> Result<Blob, JsValue> {
    if source.is_instance_of::<Uint8Array>() {
        let options = BlobPropertyBag::new();
        options.set_type(mime);
        return Blob::new_with_u8_array_sequence_and_options(&Array::of(&[source]), &options);
    }
    let blob: Blob = source.unchecked_into();
    if blob.type_() == mime {
        return Ok(blob);
    }
    blob.slice_with_f64_and_f64_and_content_type(0.0, blob.size(), mime)
}
