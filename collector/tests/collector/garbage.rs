//! Messages that are none, over a real connection.

use bytes::{Buf, BufMut, Bytes};
use futures_util::stream;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

use crate::{
    engine::Engine,
    harness::{Collector, within},
};

/// Bytes as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(bytes);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// What a method says of these bytes.
async fn said(channel: Channel, path: &'static str, bytes: Bytes) -> Code {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let request = Request::new(stream::iter([bytes]));
    let path = PathAndQuery::from_static(path);
    let answer = async {
        let mut answers = client.streaming(request, path, Raw).await?.into_inner();
        answers.message().await
    };
    within("the answer", answer)
        .await
        .err()
        .map_or(Code::Ok, |it| it.code())
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused_and_the_connection_goes_on() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let channel = collector.channel().await;
    let cut_short = &[0x0a, 0x7f, 1][..];
    let no_wire_type = &[0x0f, 0x0f][..];
    let endless_number = &[0xff; 16][..];
    let no_text = &[0x0a, 4, 0x0a, 2, 0xff, 0xfe][..];
    for bytes in [cut_short, no_wire_type, endless_number, no_text] {
        for path in [
            "/picket.v1.Ingest/Publish",
            "/picket.v1.Events/Subscribe",
            "/picket.v1.Events/List",
            "/picket.v1.Events/Get",
        ] {
            let code = said(channel.clone(), path, bytes.into()).await;
            let refused = matches!(code, Code::Internal | Code::InvalidArgument);
            assert!(refused, "{path} said {code:?} to {bytes:?}");
        }
    }
    let unknown = said(channel, "/picket.v1.Ingest/Nothing", Bytes::new()).await;
    assert_eq!(unknown, Code::Unimplemented);
    collector.agent("n1").await.publish([1]).await;
    collector.stop().await;
}
