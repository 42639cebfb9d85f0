//! The server asked, and what to make of its refusals.

mod failure;
mod reach;

use std::{error::Error as _, fmt, time::Duration};

use api::{
    transport::{Remote, cause},
    v1::{
        AnomalyDetails, CommandOutcome, Containment, DescribeRequest, DescribeResponse,
        GetAnomalyRequest, GetGraphRequest, GetGraphResponse, ListAnomaliesRequest,
        ListAnomaliesResponse, ListContainmentsRequest, ListDetectorsRequest,
        ListDetectorsResponse, ListNodesRequest, ListNodesResponse, ListRequest, ListResponse,
        SignedCommand, SubscribeRequest, SubscribeResponse, TestNodesRequest,
        actions_client::ActionsClient, anomalies_client::AnomaliesClient,
        detectors_client::DetectorsClient, events_client::EventsClient, graph_client::GraphClient,
        nodes_client::NodesClient,
    },
};
use tonic::{Code, Request, Status, Streaming, transport::Channel};

pub(crate) use self::failure::ServerError;
use crate::{names::PodName, palette::harmless};

/// The longest to wait for an answer that needs no event.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than the collector waits for an agent.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);

/// Of one answer: all nodes of a cluster come in one, and tonic's 4 MiB are too few for them.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Server {
    remote: Remote,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remote.fmt(f)
    }
}

impl Server {
    pub(crate) fn new(remote: Remote) -> Self {
        Self { remote }
    }

    /// One page of past events.
    pub(crate) async fn page(&self, request: ListRequest) -> Result<ListResponse, ServerError> {
        let answer = self.events().await?.list(self.prompt(request)?).await;
        Ok(answer
            .map_err(|status| match status.code() {
                Code::Unimplemented => ServerError::NoPast {
                    server: self.remote.to_string(),
                },
                _ => self.explain(&status),
            })?
            .into_inner())
    }

    pub(crate) async fn subscribe(
        &self,
        request: SubscribeRequest,
    ) -> Result<Streaming<SubscribeResponse>, ServerError> {
        let request = self.remote.authorize(request)?;
        let answer = self.events().await?.subscribe(request).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn nodes(&self) -> Result<ListNodesResponse, ServerError> {
        let channel = self.connect().await?;
        let mut client = NodesClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        let answer = client.list(self.prompt(ListNodesRequest {})?).await;
        Ok(answer
            .map_err(|status| match status.code() {
                Code::Unimplemented => ServerError::NoNodes {
                    server: self.remote.to_string(),
                },
                _ => self.explain(&status),
            })?
            .into_inner())
    }

    pub(crate) async fn anomalies(
        &self,
        request: ListAnomaliesRequest,
    ) -> Result<ListAnomaliesResponse, ServerError> {
        let answer = self.of_anomalies().await?.list(self.prompt(request)?).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn anomaly(&self, id: String) -> Result<AnomalyDetails, ServerError> {
        let request = self.prompt(GetAnomalyRequest { id })?;
        let answer = self.of_anomalies().await?.get(request).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn graph(
        &self,
        request: GetGraphRequest,
    ) -> Result<GetGraphResponse, ServerError> {
        let channel = self.connect().await?;
        let mut client = GraphClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        let answer = client.get(self.prompt(request)?).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn detectors(&self) -> Result<ListDetectorsResponse, ServerError> {
        let channel = self.connect().await?;
        let mut client = DetectorsClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        let answer = client.list(self.prompt(ListDetectorsRequest {})?).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    async fn of_anomalies(&self) -> Result<AnomaliesClient<Channel>, ServerError> {
        let channel = self.connect().await?;
        Ok(AnomaliesClient::new(channel).max_decoding_message_size(LARGEST_ANSWER))
    }

    /// Asks every agent to scan itself; those that were asked, and nobody when the server cannot ask.
    pub(crate) async fn test(&self, id: &str) -> Result<Vec<String>, ServerError> {
        let mut client = NodesClient::new(self.connect().await?);
        let request = self.prompt(TestNodesRequest { id: id.to_owned() })?;
        match client.test(request).await {
            Ok(answer) => Ok(answer.into_inner().nodes),
            // It is an agent, or older.
            Err(status) if status.code() == Code::Unimplemented => Ok(Vec::new()),
            Err(status) => Err(self.explain(&status)),
        }
    }

    pub(crate) async fn describe(&self, pod: &PodName) -> Result<DescribeResponse, ServerError> {
        let request = self.prompt(DescribeRequest {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
        })?;
        let answer = self.actions().await?.describe(request).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn containments(&self) -> Result<Vec<Containment>, ServerError> {
        let request = self.prompt(ListContainmentsRequest {})?;
        let answer = self.actions().await?.list_containments(request).await;
        let answer = answer.map_err(|status| self.explain(&status))?;
        Ok(answer.into_inner().containments)
    }

    pub(crate) async fn command(
        &self,
        command: SignedCommand,
    ) -> Result<CommandOutcome, ServerError> {
        let mut request = self.remote.authorize(command)?;
        request.set_timeout(COMMAND_TIMEOUT);
        let answer = self.actions().await?.command(request).await;
        Ok(answer
            .map_err(|status| match status.code() {
                Code::FailedPrecondition => ServerError::NotObeyed {
                    message: harmless(status.message()),
                },
                _ => self.explain(&status),
            })?
            .into_inner())
    }

    async fn actions(&self) -> Result<ActionsClient<Channel>, ServerError> {
        Ok(ActionsClient::new(self.connect().await?))
    }

    async fn events(&self) -> Result<EventsClient<Channel>, ServerError> {
        let channel = self.connect().await?;
        Ok(EventsClient::new(channel).max_decoding_message_size(LARGEST_ANSWER))
    }

    pub(crate) fn explain(&self, status: &Status) -> ServerError {
        let server = self.remote.to_string();
        // It goes to a terminal, in a note or in the last error.
        let message = harmless(&cause(status));
        match status.code() {
            Code::OutOfRange => ServerError::BeyondLog { server, message },
            Code::PermissionDenied => ServerError::Forbidden { server, message },
            Code::Unauthenticated => ServerError::Stranger { server, message },
            Code::NotFound => ServerError::Unknown { server, message },
            Code::InvalidArgument | Code::Unimplemented => ServerError::Refused { server, message },
            // Unknown is what tonic makes of a broken connection or of a server that is not gRPC.
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                ServerError::Away { server, message }
            }
            // A server's own refusal has no source; this is what h2 made of a broken connection.
            Code::Internal if status.source().is_some() => ServerError::Away { server, message },
            _ => ServerError::Failed { server, message },
        }
    }

    async fn connect(&self) -> Result<Channel, ServerError> {
        let connected = self.remote.connect().await;
        connected.map_err(|error| reach::explain(&self.remote.to_string(), error))
    }

    pub(crate) fn knows_no_node(&self, node: &str) -> ServerError {
        ServerError::NoNode {
            server: self.remote.to_string(),
            node: node.to_owned(),
        }
    }

    /// What a stream without news says of its server.
    pub(crate) fn silent(&self, message: &str) -> ServerError {
        ServerError::Away {
            server: self.remote.to_string(),
            message: message.to_owned(),
        }
    }

    fn prompt<T>(&self, message: T) -> Result<Request<T>, ServerError> {
        let mut request = self.remote.authorize(message)?;
        request.set_timeout(ANSWER_TIMEOUT);
        Ok(request)
    }
}
