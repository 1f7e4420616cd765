package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

func saramaAdmin(_ context.Context, asked request) error {
	client, err := sarama.NewClient([]string{asked.Address}, saramaConfig())
	if err != nil {
		return err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return err
	}
	defer admin.Close()
	deeds := saramaTopicDeeds(client, admin)
	maps.Copy(deeds, saramaGroupDeeds(admin))
	return runSteps(asked, deeds, saramaCodeOf)
}

func saramaCodeOf(err error) (int16, bool) {
	var topic *sarama.TopicError
	if errors.As(err, &topic) {
		return int16(topic.Err), true
	}
	var partitions *sarama.TopicPartitionError
	if errors.As(err, &partitions) {
		return int16(partitions.Err), true
	}
	var known sarama.KError
	if errors.As(err, &known) {
		return int16(known), true
	}
	return 0, false
}

func saramaTopicDeeds(client sarama.Client, admin sarama.ClusterAdmin) map[string]deed {
	return map[string]deed{
		"create-topic": func(step adminStep) (fields, error) {
			detail := &sarama.TopicDetail{NumPartitions: step.Partitions, ReplicationFactor: 1}
			detail.ConfigEntries = map[string]*string{}
			for key, value := range step.Configs {
				detail.ConfigEntries[key] = &value
			}
			return nil, admin.CreateTopic(step.Topic, detail, false)
		},
		"list-topics": func(step adminStep) (fields, error) {
			topics, err := admin.ListTopics()
			names := slices.Collect(maps.Keys(topics))
			return fields{"topics": startingWith(step.Prefix, names)}, err
		},
		"describe-topic": func(step adminStep) (fields, error) {
			topics, err := admin.DescribeTopics([]string{step.Topic})
			if err != nil {
				return nil, err
			}
			return fields{"partitions": len(topics[0].Partitions)}, nil
		},
		"create-partitions": func(step adminStep) (fields, error) {
			return nil, admin.CreatePartitions(step.Topic, step.Total, nil, false)
		},
		"describe-config": func(step adminStep) (fields, error) {
			resource := sarama.ConfigResource{
				Type:        sarama.TopicResource,
				Name:        step.Topic,
				ConfigNames: []string{step.Key},
			}
			entries, err := admin.DescribeConfig(resource)
			if err != nil {
				return nil, err
			}
			return fields{"value": entries[0].Value}, nil
		},
		"alter-config": func(step adminStep) (fields, error) {
			change := sarama.IncrementalAlterConfigsEntry{
				Operation: sarama.IncrementalAlterConfigsOperationSet,
				Value:     &step.Value,
			}
			changes := map[string]sarama.IncrementalAlterConfigsEntry{step.Key: change}
			return nil, admin.IncrementalAlterConfig(
				sarama.TopicResource, step.Topic, changes, false,
			)
		},
		"delete-records": func(step adminStep) (fields, error) {
			before := map[int32]int64{step.Partition: step.Before}
			if err := admin.DeleteRecords(step.Topic, before); err != nil {
				return nil, err
			}
			low, err := client.GetOffset(step.Topic, step.Partition, sarama.OffsetOldest)
			return fields{"low": low}, err
		},
		"delete-topic": func(step adminStep) (fields, error) {
			return nil, admin.DeleteTopic(step.Topic)
		},
	}
}

func saramaGroupDeeds(admin sarama.ClusterAdmin) map[string]deed {
	return map[string]deed{
		"list-groups": func(step adminStep) (fields, error) {
			groups, err := admin.ListConsumerGroups()
			names := slices.Collect(maps.Keys(groups))
			return fields{"groups": startingWith(step.Prefix, names)}, err
		},
		"describe-group": func(step adminStep) (fields, error) {
			groups, err := admin.DescribeConsumerGroups([]string{step.Group})
			if err != nil {
				return nil, err
			}
			return fields{"state": groups[0].State, "members": len(groups[0].Members)}, nil
		},
		"group-offsets": func(step adminStep) (fields, error) {
			partitions := []int32{}
			for partition := range step.Partitions {
				partitions = append(partitions, partition)
			}
			wanted := map[string][]int32{step.Topic: partitions}
			found, err := admin.ListConsumerGroupOffsets(step.Group, wanted)
			if err != nil {
				return nil, err
			}
			offsets := []int64{}
			for _, partition := range partitions {
				offsets = append(offsets, found.GetBlock(step.Topic, partition).Offset)
			}
			return fields{"offsets": offsets}, nil
		},
		"set-group-offsets": func(step adminStep) (fields, error) {
			positions := map[int32]sarama.OffsetAndMetadata{}
			for partition, offset := range step.Offsets {
				positions[int32(partition)] = sarama.OffsetAndMetadata{Offset: offset}
			}
			wanted := map[string]map[int32]sarama.OffsetAndMetadata{step.Topic: positions}
			_, err := admin.AlterConsumerGroupOffsets(step.Group, wanted, nil)
			return nil, err
		},
		"delete-group": func(step adminStep) (fields, error) {
			return nil, admin.DeleteConsumerGroup(step.Group)
		},
	}
}
